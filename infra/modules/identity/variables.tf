variable "name" {
  description = "What the names of the roles start with."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "The region that the roles may use."
  type        = string
}

variable "account_id" {
  description = "The account that the roles may use."
  type        = string
}

variable "names" {
  description = "The names of what the roles are granted access to."
  type = object({
    cluster           = string
    knowledge_bucket  = string
    models_bucket     = string
    results_bucket    = string
    langfuse_bucket   = optional(string)
    opensearch_domain = string
    document_queue    = string
    repository_prefix = string
    secret_prefix     = string
    log_group_prefix  = string
  })
}

variable "roles" {
  description = "Who may assume each of the roles for people, and in which namespaces the role counts (none: in all)."
  type = map(object({
    principals    = list(string)
    namespaces    = optional(list(string), [])
    require_mfa   = bool
    session_hours = number
  }))
}

variable "ci" {
  description = "The GitHub repository whose workflows may push images; null for none."
  type        = object({ repository = string, subjects = list(string), create_provider = bool })
}

variable "karpenter" {
  description = "What Karpenter works with: its interruption queue, and the role and instance profile of its nodes."
  type        = object({ queue_arn = string, node_role_arn = string, instance_profile_arn = string })
}

variable "data_key_arn" {
  description = "The KMS key of buckets and secrets."
  type        = string
}

variable "bedrock_models" {
  description = "Bedrock model ids, or ids of inference profiles such as us.amazon.nova-pro-v1:0."
  type        = list(string)
}

variable "document_places" {
  description = "Where documents are read from: <bucket> or <bucket>/<prefix>."
  type        = list(string)
}

variable "clients" {
  description = "Who has a PostgreSQL server, and who has a Valkey cache."
  type        = object({ postgres = list(string), valkey = list(string) })
}

variable "database_ids" {
  description = "The id that RDS gave the PostgreSQL server of each client."
  type        = map(string)
}

variable "drills_database" {
  description = "Whether the restore drill restores the database of the agent service."
  type        = bool
}

variable "domain" {
  description = "The name that ExternalDNS may write records of, and below; null: there is none to write."
  type        = string
  default     = null
}
