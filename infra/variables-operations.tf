variable "operations" {
  description = "What looks after the environment by itself, and when; flows read it, no resource does."
  default     = null
  type = object({
    schedules = object({
      cost    = optional(object({ cron = string, timezone = string }))
      drift   = optional(object({ cron = string, timezone = string }))
      secrets = optional(object({ cron = string, timezone = string }))
    })
  })

  validation {
    condition     = (var.operations == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs an operations section; local has none."
  }
  validation {
    condition = try(
      alltrue([for schedule in values(var.operations.schedules) : schedule == null || can(regex("^\\S+( \\S+){4}$", schedule.cron))]),
      var.operations == null
    )
    error_message = "operations.schedules: cost.cron, drift.cron and secrets.cron must be cron lines of five fields, such as \"0 5 * * *\"."
  }
}
