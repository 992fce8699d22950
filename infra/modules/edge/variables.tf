variable "name" {
  description = "What the names of all resources start with."
  type        = string
}

variable "partition" {
  description = "The AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "The region of the load balancer."
  type        = string
}

variable "account_id" {
  description = "The account whose buckets and load balancers may write access logs."
  type        = string
}

variable "protected" {
  description = "Whether people rely on the environment: its accounts are not deleted by accident."
  type        = bool
}

variable "access_log_days" {
  description = "How many days access logs of load balancers and buckets are kept."
  type        = number
}

variable "domain" {
  description = "The name people type, and the zone that it is in; without a zone one is made; null: no name, no certificate."
  type        = object({ name = string, zone_id = optional(string) })
  default     = null
}

variable "web_acl_arn" {
  description = "The web ACL that guards the sign-in."
  type        = string
}

variable "sign_in" {
  description = "How people sign in: cognito (accounts kept here) or oidc (an identity provider elsewhere); null: nobody need."
  type = object({
    kind                   = string
    mfa                    = optional(string)
    issuer                 = optional(string)
    authorization_endpoint = optional(string)
    token_endpoint         = optional(string)
    user_info_endpoint     = optional(string)
    client_id              = optional(string)
    client_secret          = optional(string)
  })
  default = null
}
