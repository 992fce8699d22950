# Alerts go through one topic, because a topic is the only receiver that needs no credentials.

locals {
  alerting = var.alerts != null
  alertmanager = {
    route = {
      receiver        = "on-call"
      group_by        = ["alertname", "namespace"]
      group_wait      = "30s"
      group_interval  = "5m"
      repeat_interval = "4h"
    }
    receivers = [{
      name = "on-call"
      sns_configs = [for topic in aws_sns_topic.alerts : {
        topic_arn     = topic.arn
        send_resolved = true
        subject       = "[${var.name}] {{ .Status | toUpper }} {{ .CommonLabels.alertname }}"
        sigv4         = { region = var.region }
      }]
    }]
  }
}

resource "aws_sns_topic" "alerts" {
  count = local.alerting ? 1 : 0

  name              = "${var.name}-alerts"
  kms_master_key_id = var.keys.data
}

resource "aws_sns_topic_policy" "alerts" {
  count = local.alerting ? 1 : 0

  arn = aws_sns_topic.alerts[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "PublishFromAlertManager"
        Effect    = "Allow"
        Principal = { Service = "aps.amazonaws.com" }
        Action    = ["sns:Publish", "sns:GetTopicAttributes"]
        Resource  = aws_sns_topic.alerts[0].arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals    = { "aws:SourceArn" = aws_prometheus_workspace.this.arn }
        }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts[0].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = local.alerting ? toset(var.alerts.emails) : toset([])

  topic_arn = aws_sns_topic.alerts[0].arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_prometheus_alert_manager_definition" "this" {
  count = local.alerting ? 1 : 0

  workspace_id = aws_prometheus_workspace.this.id
  definition   = yamlencode({ alertmanager_config = yamlencode(local.alertmanager) })

  # The alert manager tries the topic when it is defined.
  depends_on = [aws_sns_topic_policy.alerts]
}
