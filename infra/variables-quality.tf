variable "evaluation" {
  description = "The labelled questions, what is measured on them, and the least that each metric must reach (0 to 1)."
  nullable    = false
  type = object({
    dataset              = string
    schedule             = optional(object({ cron = string, timezone = string }))
    metrics              = list(string)
    thresholds           = map(number)
    answers_in_lifecycle = number
  })

  validation {
    condition     = alltrue([for threshold in values(var.evaluation.thresholds) : threshold >= 0 && threshold <= 1])
    error_message = "evaluation.thresholds must be from 0 to 1."
  }
  validation {
    condition     = length(var.evaluation.metrics) > 0 && length(setsubtract(keys(var.evaluation.thresholds), var.evaluation.metrics)) == 0
    error_message = "evaluation.metrics must have at least one metric, and every one that evaluation.thresholds names."
  }
}
