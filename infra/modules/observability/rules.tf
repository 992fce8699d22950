# One namespace of rules for each file of rules/: the files are plain Prometheus rules, which promtool can test.

locals {
  rule_files = fileset("${path.module}/rules", "*.yaml")
}

resource "aws_prometheus_rule_group_namespace" "this" {
  for_each = local.rule_files

  name         = trimsuffix(each.value, ".yaml")
  workspace_id = aws_prometheus_workspace.this.id
  data         = file("${path.module}/rules/${each.value}")
}
