# Grafana as a service: people sign in with Identity Center, from the networks that the file allows.

locals {
  with_grafana = var.grafana != null
  grafana_roles = local.with_grafana ? {
    for role, groups in { ADMIN = var.grafana.admins, EDITOR = var.grafana.editors, VIEWER = var.grafana.viewers } :
    role => groups if length(groups) > 0
  } : {}
}

resource "aws_grafana_workspace" "this" {
  count = local.with_grafana ? 1 : 0

  name                      = var.name
  grafana_version           = var.grafana.version
  account_access_type       = "CURRENT_ACCOUNT"
  authentication_providers  = ["AWS_SSO"]
  permission_type           = "CUSTOMER_MANAGED"
  role_arn                  = aws_iam_role.grafana[0].arn
  data_sources              = ["PROMETHEUS", "CLOUDWATCH"]
  notification_destinations = []
  configuration = jsonencode({
    plugins         = { pluginAdminEnabled = false }
    unifiedAlerting = { enabled = false } # Prometheus alerts; two places to look for an alert are one too many
  })

  network_access_control {
    prefix_list_ids = [aws_ec2_managed_prefix_list.grafana[0].id]
    vpce_ids        = []
  }

  vpc_configuration {
    subnet_ids         = var.network.subnet_ids
    security_group_ids = [aws_security_group.grafana[0].id]
  }
}

resource "aws_grafana_role_association" "this" {
  for_each = local.grafana_roles

  workspace_id = aws_grafana_workspace.this[0].id
  role         = each.key
  group_ids    = each.value
}

# Dashboards are written as this account; a flow makes its tokens, which live 30 days at most.
resource "aws_grafana_workspace_service_account" "dashboards" {
  count = local.with_grafana ? 1 : 0

  workspace_id = aws_grafana_workspace.this[0].id
  name         = "dashboards"
  grafana_role = "ADMIN"
}

resource "aws_ec2_managed_prefix_list" "grafana" {
  count = local.with_grafana ? 1 : 0

  name           = "${var.name}-grafana"
  address_family = "IPv4"
  max_entries    = length(var.grafana.allowed_cidrs)

  dynamic "entry" {
    for_each = toset(var.grafana.allowed_cidrs)
    content {
      cidr = entry.value
    }
  }
}

resource "aws_security_group" "grafana" {
  count = local.with_grafana ? 1 : 0

  name        = "${var.name}-grafana"
  description = "Grafana: queries of its data sources"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-grafana" }
}

resource "aws_vpc_security_group_egress_rule" "grafana" {
  count = local.with_grafana ? 1 : 0

  security_group_id = aws_security_group.grafana[0].id
  description       = "Data sources, through the endpoints of the VPC"
  cidr_ipv4         = var.network.cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_iam_role" "grafana" {
  count = local.with_grafana ? 1 : 0

  name        = "${var.name}-grafana-workspace"
  description = "The Managed Grafana workspace: reads metrics"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "grafana.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        StringLike   = { "aws:SourceArn" = "arn:${var.partition}:grafana:${var.region}:${var.account_id}:/workspaces/*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "grafana" {
  count = local.with_grafana ? 1 : 0

  name = "read-metrics"
  role = aws_iam_role.grafana[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["aps:QueryMetrics", "aps:GetLabels", "aps:GetSeries", "aps:GetMetricMetadata", "aps:DescribeWorkspace", "aps:ListRules", "aps:ListAlertManagerAlerts"]
        Resource = aws_prometheus_workspace.this.arn
      },
      {
        # These calls know no resource.
        Effect   = "Allow"
        Action   = ["aps:ListWorkspaces", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics", "tag:GetResources"]
        Resource = "*"
        Condition = {
          StringEquals = { "aws:RequestedRegion" = var.region }
        }
      },
    ]
  })
}
