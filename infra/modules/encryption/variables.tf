variable "name" {
  description = "What the aliases of the keys start with."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "The region whose log groups the key `logs` may encrypt."
  type        = string
}

variable "account_id" {
  description = "The account whose IAM policies decide who uses the keys."
  type        = string
}

variable "deletion_window_days" {
  description = "How many days a deleted key can still be brought back."
  type        = number
}
