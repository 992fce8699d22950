variable "name" {
  description = "What the names of all resources start with."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "The region of the domain."
  type        = string
}

variable "account_id" {
  description = "The account whose IAM policies decide who reaches the domain."
  type        = string
}

variable "administrators" {
  description = "Who may take on the role of the domain's master user: ARNs of IAM roles and users."
  type        = list(string)
}

variable "domain" {
  description = "The name of the domain."
  type        = string
}

variable "keys" {
  description = "The KMS keys (ARN) of log groups and of data."
  type        = object({ logs = string, data = string })
}

variable "network" {
  description = "Where the domain attaches: a subnet without a way to the internet in each of three zones; and who may connect."
  type = object({
    vpc_id                   = string
    subnet_ids               = list(string)
    client_security_group_id = string
  })
}

variable "log_days" {
  description = "How many days the logs of the domain are kept."
  type        = number
}

variable "search" {
  description = "The engine and the size of the domain."
  type = object({
    engine_version    = string
    instance_type     = string
    instance_count    = number
    volume_gib        = number
    dedicated_masters = optional(object({ instance_type = string }))
  })
}

variable "snapshots" {
  description = "The bucket (ARN) of snapshots that outlive the domain, and the hour (UTC) of the daily one; null: none but the service's own."
  type        = object({ bucket_arn = string, start_hour = number })
  default     = null
}
