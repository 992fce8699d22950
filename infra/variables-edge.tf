variable "edge" {
  description = "What stands between people and the agents: name, firewall, sign-in and access logs."
  default     = null
  type = object({
    # Without a zone_id a zone of that name is made, which a person then delegates to.
    domain          = optional(object({ name = string, zone_id = optional(string) }))
    access_log_days = number
    firewall = object({
      requests_per_5_minutes = number
      largest_request_bytes  = number
      count_only             = optional(list(string), [])
    })
    # mfa is for the kind cognito, the others are for oidc; client_secret is a name of data.secrets.
    sign_in = optional(object({
      kind                   = string
      mfa                    = optional(string)
      issuer                 = optional(string)
      authorization_endpoint = optional(string)
      token_endpoint         = optional(string)
      user_info_endpoint     = optional(string)
      client_id              = optional(string)
      client_secret          = optional(string)
    }))
  })

  validation {
    condition     = (var.edge == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs an edge section; local has none."
  }
  validation {
    condition     = try(var.edge.domain, null) == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.edge.domain.name))
    error_message = "edge.domain.name must be a DNS name in small letters, such as \"assistant.example.com\"."
  }
  validation {
    condition     = try(var.edge.domain.zone_id, null) == null || can(regex("^Z[0-9A-Z]{5,31}$", var.edge.domain.zone_id))
    error_message = "edge.domain.zone_id must be the id of a Route 53 zone, such as \"Z0123456789ABCDEFGHIJ\"."
  }
  validation {
    condition     = try(var.edge.access_log_days >= 1, var.edge == null)
    error_message = "edge.access_log_days must be 1 or more."
  }
  validation {
    condition     = try(var.edge.firewall.requests_per_5_minutes >= 10 && var.edge.firewall.requests_per_5_minutes <= 2000000000, var.edge == null)
    error_message = "edge.firewall.requests_per_5_minutes must be from 10 to 2000000000."
  }
  validation {
    condition     = try(var.edge.firewall.largest_request_bytes >= var.agents.question_bytes, var.edge == null)
    error_message = "edge.firewall.largest_request_bytes must be agents.question_bytes or more: a question comes with its conversation."
  }
  validation {
    condition     = try(alltrue([for rule in var.edge.firewall.count_only : can(regex("^[A-Za-z0-9]+_[A-Z]+$", rule)) && rule != "SizeRestrictions_BODY"]), var.edge == null)
    error_message = "edge.firewall.count_only must be names of rules of AWSManagedRulesCommonRuleSet, such as \"CrossSiteScripting_BODY\"; SizeRestrictions_BODY always is one."
  }
  validation {
    condition     = try(var.edge.sign_in, null) == null || contains(["cognito", "oidc"], try(var.edge.sign_in.kind, ""))
    error_message = "edge.sign_in.kind must be one of cognito, oidc."
  }
  validation {
    condition = try(var.edge.sign_in.kind, "") != "cognito" || try(
      contains(["optional", "required"], var.edge.sign_in.mfa) && var.edge.domain != null && length(compact([
        var.edge.sign_in.issuer, var.edge.sign_in.authorization_endpoint, var.edge.sign_in.token_endpoint,
        var.edge.sign_in.user_info_endpoint, var.edge.sign_in.client_id, var.edge.sign_in.client_secret,
      ])) == 0,
      false
    )
    error_message = "edge.sign_in of the kind cognito needs mfa (optional or required) and edge.domain, and none of the keys for oidc."
  }
  validation {
    condition = try(var.edge.sign_in.kind, "") != "oidc" || try(
      var.edge.sign_in.mfa == null && var.edge.domain != null && var.edge.sign_in.client_secret != null &&
      can(regex("^[\\x21-\\x7e]{1,255}$", var.edge.sign_in.client_id)) && alltrue([
        for url in [
          var.edge.sign_in.issuer, var.edge.sign_in.authorization_endpoint, var.edge.sign_in.token_endpoint,
          var.edge.sign_in.user_info_endpoint,
        ] : startswith(url, "https://")
      ]),
      false
    )
    error_message = "edge.sign_in of the kind oidc needs edge.domain, issuer, authorization_endpoint, token_endpoint and user_info_endpoint, all starting with https://, client_id without blanks, and client_secret, but no mfa."
  }
  validation {
    condition     = try(var.edge.sign_in.client_secret, null) == null || try(contains(local.secrets_of_people, var.edge.sign_in.client_secret), false)
    error_message = "edge.sign_in.client_secret must be a name of data.secrets whose origin is person."
  }
}

check "somebody_signs_in" {
  assert {
    condition     = !var.environment.protected || try(var.edge.sign_in, null) != null
    error_message = "The environment is protected, but nobody need sign in: set edge.sign_in."
  }
}
