output "metrics" {
  description = "The Prometheus workspace: id, ARN, and the endpoint that queries and remote writes start from."
  value = {
    workspace_id  = aws_prometheus_workspace.this.id
    workspace_arn = aws_prometheus_workspace.this.arn
    endpoint      = aws_prometheus_workspace.this.prometheus_endpoint
  }
}

output "grafana" {
  description = "The Grafana workspace: id, address and the service account that writes dashboards; null without one."
  value = one([for workspace in aws_grafana_workspace.this : {
    workspace_id       = workspace.id
    url                = "https://${workspace.endpoint}"
    service_account_id = aws_grafana_workspace_service_account.dashboards[0].service_account_id
  }])
}

output "alerts_topic_arn" {
  description = "The topic that alerts are sent to; null where nobody is told."
  value       = one(aws_sns_topic.alerts[*].arn)
}

output "pod_log_groups" {
  description = "The log group of each namespace's pods."
  value       = { for namespace, group in aws_cloudwatch_log_group.pods : namespace => group.name }
}
