variable "name" {
  description = "The cluster's name, and what the names of its roles and queue start with."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "account_id" {
  description = "The account of the cluster."
  type        = string
}

variable "tags" {
  description = "The tags of what EC2 launches for the system node group."
  type        = map(string)
}

variable "kubernetes_version" {
  description = "The Kubernetes minor."
  type        = string
}

variable "service_cidr" {
  description = "The addresses of Kubernetes services; outside the VPC."
  type        = string
}

variable "public_access_cidrs" {
  description = "Who reaches the API from outside the VPC; empty: nobody."
  type        = list(string)
}

variable "log_days" {
  description = "How many days the control plane's logs are kept."
  type        = number
}

variable "system_nodes" {
  description = "The nodes of critical add-ons; minimum is also how many there are at first."
  type        = object({ instance_types = list(string), minimum = number, maximum = number, disk_gib = number })
}

variable "addon_versions" {
  description = "The version of every managed add-on, by its name."
  type        = map(string)
}

variable "subnet_ids" {
  description = "The subnets by tier, and by zone within it."
  type        = map(map(string))
}

variable "secrets_key_arn" {
  description = "The KMS key that encrypts Secrets in the Kubernetes API."
  type        = string
}

variable "log_key_arn" {
  description = "The KMS key of the control plane's logs."
  type        = string
}

variable "access_entries" {
  description = "What IAM roles may do in Kubernetes, and in which namespaces (none: in all)."
  type = map(object({
    principal_arn = string
    group         = string
    policy        = string
    namespaces    = list(string)
  }))
}

variable "pod_identities" {
  description = "The role of each service account that calls AWS."
  type        = map(object({ namespace = string, service_account = string, role_arn = string }))
}

variable "cached_repository_arns" {
  description = "The repositories that ECR makes when a node first pulls an image of theirs."
  type        = list(string)
}
