# The OpenSearch domain: three zones, in the VPC, IAM identities only.

locals {
  logs = {
    INDEX_SLOW_LOGS     = "index-slow"
    SEARCH_SLOW_LOGS    = "search-slow"
    ES_APPLICATION_LOGS = "application"
    AUDIT_LOGS          = "audit"
  }
  domain_arn = "arn:${var.partition}:es:${var.region}:${var.account_id}:domain/${var.domain}"
}

resource "aws_opensearch_domain" "this" {
  domain_name    = var.domain
  engine_version = var.search.engine_version

  cluster_config {
    instance_type            = var.search.instance_type
    instance_count           = var.search.instance_count
    dedicated_master_enabled = var.search.dedicated_masters != null
    dedicated_master_count   = var.search.dedicated_masters == null ? null : 3
    dedicated_master_type    = try(var.search.dedicated_masters.instance_type, null)
    zone_awareness_enabled   = true
    zone_awareness_config {
      availability_zone_count = 3
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.search.volume_gib
  }

  vpc_options {
    subnet_ids         = var.network.subnet_ids
    security_group_ids = [aws_security_group.this.id]
  }

  encrypt_at_rest {
    enabled    = true
    kms_key_id = var.keys.data
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  advanced_security_options {
    enabled                        = true
    anonymous_auth_enabled         = false
    internal_user_database_enabled = false
    master_user_options {
      master_user_arn = aws_iam_role.administrator.arn
    }
  }

  # Who gets in at all; what each may do there is decided by the roles inside the domain.
  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:${var.partition}:iam::${var.account_id}:root" }
      Action    = "es:ESHttp*"
      Resource  = "${local.domain_arn}/*"
    }]
  })

  dynamic "log_publishing_options" {
    for_each = local.logs
    content {
      log_type                 = log_publishing_options.key
      cloudwatch_log_group_arn = aws_cloudwatch_log_group.this[log_publishing_options.key].arn
    }
  }

  # Hourly snapshots of the last 14 days are the service's own; this is when the daily one is taken.
  snapshot_options {
    automated_snapshot_start_hour = try(var.snapshots.start_hour, 0)
  }

  software_update_options {
    auto_software_update_enabled = true
  }

  off_peak_window_options {
    enabled = true
  }

  depends_on = [aws_cloudwatch_log_resource_policy.this]
}

resource "aws_security_group" "this" {
  name        = "${var.name}-search"
  description = "OpenSearch: HTTPS from the cluster"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-search" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id            = aws_security_group.this.id
  description                  = "Pods and nodes of the cluster"
  referenced_security_group_id = var.network.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.logs

  name              = "/aws/opensearch/${var.name}/${each.value}"
  retention_in_days = var.log_days
  kms_key_id        = var.keys.logs
}

resource "aws_cloudwatch_log_resource_policy" "this" {
  policy_name = "${var.name}-search"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "es.amazonaws.com" }
      Action    = ["logs:PutLogEvents", "logs:CreateLogStream"]
      Resource  = [for group in aws_cloudwatch_log_group.this : "${group.arn}:*"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = local.domain_arn }
      }
    }]
  })
}
