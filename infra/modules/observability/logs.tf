resource "aws_cloudwatch_log_group" "metrics" {
  # AWS writes to this prefix without a policy for each group.
  name              = "/aws/vendedlogs/prometheus/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = var.keys.logs
}

# Made here and not by Fluent Bit, which would make them without end and without a key.
resource "aws_cloudwatch_log_group" "pods" {
  for_each = var.pod_logs

  name              = "${var.log_group_prefix}/${each.key}"
  retention_in_days = each.value
  kms_key_id        = var.keys.logs
}
