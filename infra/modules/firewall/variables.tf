variable "name" {
  description = "What the names of all resources start with."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "The region of the load balancer and of the log."
  type        = string
}

variable "account_id" {
  description = "The account that the log belongs to."
  type        = string
}

variable "log_key_arn" {
  description = "The KMS key of log groups."
  type        = string
}

variable "log_days" {
  description = "How many days the log is kept."
  type        = number
}

variable "requests_per_5_minutes" {
  description = "How many requests one address may make."
  type        = number
}

variable "largest_request_bytes" {
  description = "The longest request; one that declares a length of more digits is refused."
  type        = number
}

variable "count_only" {
  description = "The rules of AWS's common set that count a request instead of blocking it."
  type        = list(string)
}
