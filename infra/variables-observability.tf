variable "observability" {
  description = "Metrics, alerts, dashboards and logs: how long they are kept, and who sees them."
  default     = null
  type = object({
    # The logs of what AWS runs: metrics, search, databases, caches, firewall.
    log_days = number
    # The logs of pods, by namespace.
    pod_logs = map(number)
    metrics  = object({ retention_days = number, scrape_seconds = number })
    alerts   = optional(object({ emails = list(string) }))
    grafana = optional(object({
      version       = string
      allowed_cidrs = list(string)
      # Ids of Identity Center groups.
      admins  = list(string)
      editors = optional(list(string), [])
      viewers = optional(list(string), [])
    }))
  })

  validation {
    condition     = (var.observability == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs an observability section; local has none."
  }
  validation {
    condition     = try(length(setsubtract(concat([var.observability.log_days], values(var.observability.pod_logs)), local.log_retention_days)) == 0, var.observability == null)
    error_message = "observability.log_days and pod_logs must be retentions that CloudWatch Logs has: ${join(", ", local.log_retention_days)}."
  }
  validation {
    condition     = try(alltrue([for namespace in keys(var.observability.pod_logs) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", namespace))]), var.observability == null)
    error_message = "observability.pod_logs must be by name of a Kubernetes namespace."
  }
  validation {
    condition     = try(var.observability.metrics.retention_days >= 1 && var.observability.metrics.retention_days <= 1095, var.observability == null)
    error_message = "observability.metrics.retention_days must be from 1 to 1095."
  }
  validation {
    condition     = try(var.observability.metrics.scrape_seconds >= 30 && var.observability.metrics.scrape_seconds <= 300, var.observability == null)
    error_message = "observability.metrics.scrape_seconds must be from 30 (what the collector can do) to 300 (what rules over 5 minutes need)."
  }
  validation {
    condition = try(var.observability.alerts, null) == null || try(
      length(var.observability.alerts.emails) > 0 && alltrue([for email in var.observability.alerts.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))]),
      false
    )
    error_message = "observability.alerts.emails must have at least one mail address."
  }
  validation {
    condition     = try(var.observability.grafana, null) == null || contains(["9.4", "10.4"], try(var.observability.grafana.version, ""))
    error_message = "observability.grafana.version must be one of 9.4, 10.4."
  }
  validation {
    condition = try(var.observability.grafana, null) == null || try(
      length(var.observability.grafana.allowed_cidrs) > 0 && alltrue([
        for cidr in var.observability.grafana.allowed_cidrs : can(cidrhost(cidr, 0)) && !strcontains(cidr, ":") && !endswith(cidr, "/0")
      ]),
      false
    )
    error_message = "observability.grafana.allowed_cidrs must have at least one IPv4 range, such as \"203.0.113.0/24\", and none that is everybody."
  }
  validation {
    condition = try(var.observability.grafana, null) == null || try(
      length(var.observability.grafana.admins) > 0 && alltrue([
        for group in concat(var.observability.grafana.admins, var.observability.grafana.editors, var.observability.grafana.viewers) :
        can(regex("^([0-9a-f]{10}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", group))
      ]),
      false
    )
    error_message = "observability.grafana: admins must have at least one group; admins, editors and viewers are ids of Identity Center groups, such as \"906712345e-11111111-2222-3333-4444-555555555555\"."
  }
}

check "somebody_is_told" {
  assert {
    condition     = !var.environment.protected || try(var.observability.alerts, null) != null
    error_message = "The environment is protected, but nobody is told of its alerts: set observability.alerts."
  }
}
