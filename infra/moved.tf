# Where things were before, so that an environment that has them keeps them.

moved {
  from = module.data[0].aws_opensearch_domain.this
  to   = module.search[0].aws_opensearch_domain.this
}

moved {
  from = module.data[0].aws_security_group.search
  to   = module.search[0].aws_security_group.this
}

moved {
  from = module.data[0].aws_vpc_security_group_ingress_rule.search
  to   = module.search[0].aws_vpc_security_group_ingress_rule.this
}

moved {
  from = module.data[0].aws_cloudwatch_log_group.search
  to   = module.search[0].aws_cloudwatch_log_group.this
}

moved {
  from = module.data[0].aws_cloudwatch_log_resource_policy.search
  to   = module.search[0].aws_cloudwatch_log_resource_policy.this
}

moved {
  from = module.data[0].aws_iam_role.search_administrator
  to   = module.search[0].aws_iam_role.administrator
}

moved {
  from = module.data[0].aws_iam_role_policy.search_administrator
  to   = module.search[0].aws_iam_role_policy.administrator
}

moved {
  from = module.data[0].aws_iam_role.search_snapshots
  to   = module.search[0].aws_iam_role.snapshots
}

moved {
  from = module.data[0].aws_iam_role_policy.search_snapshots
  to   = module.search[0].aws_iam_role_policy.snapshots
}
