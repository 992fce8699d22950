variable "access" {
  description = "Who may use the cluster: people and machines by role, and the continuous integration of a GitHub repository."
  default     = null
  type = object({
    roles = object({
      cluster_admin = object({ principals = list(string), require_mfa = optional(bool, false), session_hours = optional(number, 4) })
      admin         = object({ principals = list(string), namespaces = optional(list(string), []), require_mfa = optional(bool, false), session_hours = optional(number, 8) })
      editor        = object({ principals = list(string), namespaces = optional(list(string), []), require_mfa = optional(bool, false), session_hours = optional(number, 8) })
      reader        = object({ principals = list(string), namespaces = optional(list(string), []), require_mfa = optional(bool, false), session_hours = optional(number, 8) })
    })
    ci = optional(object({
      repository      = string
      subjects        = list(string)
      create_provider = optional(bool, true)
    }))
  })

  validation {
    condition     = (var.access == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs an access section; local has none."
  }
  validation {
    condition     = try(alltrue([for role in values(var.access.roles) : length(role.principals) > 0]), var.access == null)
    error_message = "access.roles: every role needs at least one principal that may assume it."
  }
  validation {
    condition = try(alltrue(flatten([
      for role in values(var.access.roles) : [
        for principal in role.principals : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[^*]+$", principal))
      ]
    ])), var.access == null)
    error_message = "access.roles.*.principals must be ARNs of IAM roles or users without a wildcard, such as \"arn:aws:iam::111122223333:role/platform\"."
  }
  validation {
    condition = try(alltrue(flatten([
      for role in [var.access.roles.admin, var.access.roles.editor, var.access.roles.reader] : [
        for namespace in role.namespaces : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", namespace))
      ]
    ])), var.access == null)
    error_message = "access.roles.*.namespaces must be names of Kubernetes namespaces."
  }
  validation {
    condition     = try(alltrue([for role in values(var.access.roles) : role.session_hours >= 1 && role.session_hours <= 12]), var.access == null)
    error_message = "access.roles.*.session_hours must be from 1 to 12."
  }
  validation {
    condition     = try(var.access.ci, null) == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.access.ci.repository))
    error_message = "access.ci.repository must be <owner>/<name> of a GitHub repository."
  }
  validation {
    condition = try(var.access.ci, null) == null || try(
      length(var.access.ci.subjects) > 0 && alltrue([for subject in var.access.ci.subjects : can(regex("^(ref:refs/heads/|ref:refs/tags/|environment:)[^*?]+$", subject))]),
      false
    )
    error_message = "access.ci.subjects must have at least one of ref:refs/heads/<branch>, ref:refs/tags/<tag>, environment:<name>, without a wildcard."
  }
}
