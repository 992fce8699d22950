variable "name" {
  description = "What the names of all resources start with."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "The region of the image registry."
  type        = string
}

variable "account_id" {
  description = "The account whose IAM policies decide who reaches the data."
  type        = string
}

variable "tags" {
  description = "The tags of what AWS makes on our behalf: repositories of cached images, and backups."
  type        = map(string)
}

variable "protected" {
  description = "Whether people rely on the data: nothing is deleted without a last snapshot, or at once."
  type        = bool
}

variable "names" {
  description = "Names that other modules grant access to."
  type = object({
    knowledge_bucket  = string
    models_bucket     = string
    results_bucket    = string
    langfuse_bucket   = optional(string)
    document_queue    = string
    repository_prefix = string
    secret_prefix     = string
  })
}

variable "keys" {
  description = "The KMS keys (ARN) of log groups and of data."
  type        = object({ logs = string, data = string })
}

variable "network" {
  description = "Where data stores attach: a subnet without a way to the internet in every zone; and who may connect."
  type = object({
    vpc_id                   = string
    subnet_ids               = list(string)
    client_security_group_id = string
  })
}

variable "access_log_bucket" {
  description = "The bucket that every request to the buckets is logged in."
  type        = string
}

variable "log_days" {
  description = "How many days the logs of databases and caches are kept."
  type        = number
}

variable "buckets" {
  description = "How many days replaced or deleted documents, and reports of evaluations, are kept."
  type        = object({ noncurrent_days = number, result_days = number })
}

variable "images" {
  description = "Image repositories, how many images each keeps, and the public registries that are cached, by prefix."
  type = object({
    repositories = list(string)
    kept         = number
    pull_through = map(object({ registry = string, credentials_secret = optional(string) }))
  })
}

variable "secrets" {
  description = "The names of secrets; their values are never known to Terraform."
  type        = set(string)
}

variable "postgres" {
  description = "A PostgreSQL server for each client that asks for one."
  type = map(object({
    major_version  = string
    instance_class = string
    storage_gib    = number
    multi_zone     = bool
  }))
}

variable "valkey" {
  description = "A Valkey cache for each client that asks for one; more than one node replicates across zones."
  type = map(object({
    engine_version = string
    node_type      = string
    nodes          = number
  }))
}

variable "backup" {
  description = "How far back one can go (days), and the hour (UTC) at which snapshots start; null: no backups."
  type = object({
    point_in_time_days = number
    snapshot_days      = number
    start_hour         = number
  })
  default = null
}

variable "document_places" {
  description = "Where documents are read from, by the source's name: <bucket> or <bucket>/<prefix>."
  type        = map(string)
}
