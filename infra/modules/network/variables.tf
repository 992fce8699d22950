variable "name" {
  description = "Name of the environment's things; also the value of the Karpenter discovery tag."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "The region, part of the names of endpoint services."
  type        = string
}

variable "account_id" {
  description = "The account that the flow-log role may be assumed for."
  type        = string
}

variable "cidr" {
  description = "The addresses of the VPC."
  type        = string
}

variable "zones" {
  description = "The subnets of each availability zone, by the zone's name."
  type        = map(object({ public = string, private = string, intra = string }))
}

variable "nat_gateways" {
  description = "single: all zones leave through the first one; per_zone: each through its own."
  type        = string
}

variable "interface_endpoints" {
  description = "The AWS services reached inside the VPC, and whether each zone has an endpoint of its own."
  type        = object({ placement = string, services = list(string) })
}

variable "flow_log_days" {
  description = "How many days the flow logs are kept."
  type        = number
}

variable "log_key_arn" {
  description = "The KMS key of the flow logs."
  type        = string
}
