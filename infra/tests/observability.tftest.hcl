# Metrics, alerts, dashboards and logs: what each part of the section makes.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_prometheus_workspace" {
    defaults = { arn = "arn:aws:aps:us-east-1:111122223333:workspace/ws-mock" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:mock" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:111122223333:mock" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
  }
}

variables {
  name             = "test"
  partition        = "aws"
  region           = "us-east-1"
  account_id       = "111122223333"
  log_days         = 30
  pod_logs         = { agents = 90, ray = 14 }
  log_group_prefix = "/test/pods"
  metrics          = { retention_days = 400, scrape_seconds = 60 }
  cluster          = { arn = "arn:aws:eks:us-east-1:111122223333:cluster/test", security_group_id = "sg-1" }
  network          = { vpc_id = "vpc-1", cidr = "10.0.0.0/16", subnet_ids = ["subnet-1", "subnet-2", "subnet-3"] }
  keys             = { logs = "arn:aws:kms:us-east-1:111122223333:key/logs", data = "arn:aws:kms:us-east-1:111122223333:key/data" }
}

run "everything" {
  command = plan
  module {
    source = "./modules/observability"
  }
  variables {
    alerts = { emails = ["a@example.com", "b@example.com"] }
    grafana = {
      version       = "10.4"
      allowed_cidrs = ["203.0.113.0/24"]
      admins        = ["11111111-2222-3333-4444-555555555555"]
      editors       = []
      viewers       = ["66666666-7777-8888-9999-aaaaaaaaaaaa"]
    }
  }

  assert {
    condition     = aws_prometheus_workspace.this.kms_key_arn == var.keys.data && aws_prometheus_workspace_configuration.this.retention_period_in_days == 400
    error_message = "The workspace must be encrypted, and keep metrics as long as the file says."
  }
  assert {
    condition     = strcontains(aws_prometheus_scraper.this.scrape_configuration, "scrape_interval: 60s") && length(yamldecode(aws_prometheus_scraper.this.scrape_configuration).scrape_configs) == 4
    error_message = "The collector must scrape pods, kubelets, containers and the API as often as the file says."
  }
  assert {
    condition     = strcontains(aws_prometheus_scraper.this.scrape_configuration, "replacement: $1:$2")
    error_message = "Terraform must leave Prometheus's own references alone."
  }
  assert {
    condition     = keys(aws_prometheus_rule_group_namespace.this) == ["agents.yaml", "capacity.yaml", "models.yaml", "platform.yaml", "workloads.yaml"] && alltrue([for rules in aws_prometheus_rule_group_namespace.this : length(yamldecode(rules.data).groups) > 0])
    error_message = "Every file of rules must become a namespace."
  }
  assert {
    condition     = length(aws_sns_topic_subscription.email) == 2 && aws_sns_topic.alerts[0].kms_master_key_id == var.keys.data
    error_message = "Every address must be told, through an encrypted topic."
  }
  assert {
    condition = (
      yamldecode(yamldecode(aws_prometheus_alert_manager_definition.this[0].definition).alertmanager_config).receivers[0].sns_configs[0].topic_arn
      == aws_sns_topic.alerts[0].arn
    )
    error_message = "The alert manager must send to the topic."
  }
  assert {
    condition     = keys(aws_grafana_role_association.this) == ["ADMIN", "VIEWER"]
    error_message = "A role without groups must have no association."
  }
  assert {
    condition     = length(aws_grafana_workspace.this[0].network_access_control) == 1 && aws_ec2_managed_prefix_list.grafana[0].max_entries == 1
    error_message = "Grafana must be reachable from the ranges of the file only."
  }
  assert {
    condition     = alltrue([for group in concat([aws_cloudwatch_log_group.metrics], values(aws_cloudwatch_log_group.pods)) : group.kms_key_id == var.keys.logs])
    error_message = "Log groups must be encrypted."
  }
  assert {
    condition     = aws_cloudwatch_log_group.pods["agents"].retention_in_days == 90 && output.pod_log_groups == { agents = "/test/pods/agents", ray = "/test/pods/ray" }
    error_message = "The logs of pods must be kept by namespace."
  }
}

run "without_alerts_and_grafana" {
  command = plan
  module {
    source = "./modules/observability"
  }

  assert {
    condition     = output.grafana == null && output.alerts_topic_arn == null && length(aws_iam_role.grafana) == 0
    error_message = "Neither dashboards nor a topic were asked for."
  }
  assert {
    condition     = length(aws_prometheus_alert_manager_definition.this) == 0 && length(aws_prometheus_rule_group_namespace.this) == 5
    error_message = "Rules must be evaluated also where nobody is told."
  }
}
