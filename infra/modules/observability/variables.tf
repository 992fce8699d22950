variable "name" {
  description = "What the names of all resources start with."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "The region that the alerts are sent in."
  type        = string
}

variable "account_id" {
  description = "The account on whose behalf Grafana and Prometheus act."
  type        = string
}

variable "cluster" {
  description = "The cluster that the collector scrapes, and the security group that its nodes share."
  type        = object({ arn = string, security_group_id = string })
}

variable "network" {
  description = "Where the collector and Grafana attach: a private subnet in every zone."
  type        = object({ vpc_id = string, cidr = string, subnet_ids = list(string) })
}

variable "keys" {
  description = "The KMS keys (ARN) of log groups, and of metrics and alerts."
  type        = object({ logs = string, data = string })
}

variable "metrics" {
  description = "How long metrics are kept, and how often they are collected."
  type        = object({ retention_days = number, scrape_seconds = number })
}

variable "alerts" {
  description = "Who is told of an alert; null: rules are evaluated and nobody is told."
  type        = object({ emails = list(string) })
  default     = null
}

variable "grafana" {
  description = "The Grafana workspace, who reaches it, and the Identity Center groups of each of its roles; null: none."
  type = object({
    version       = string
    allowed_cidrs = list(string)
    admins        = list(string)
    editors       = list(string)
    viewers       = list(string)
  })
  default = null
}

variable "log_days" {
  description = "How many days the logs of the metrics workspace are kept."
  type        = number
}

variable "pod_logs" {
  description = "How many days the logs of a namespace's pods are kept, by namespace."
  type        = map(number)
}

variable "log_group_prefix" {
  description = "What the log groups of pods start with; the namespace follows."
  type        = string
}
