variable "evaluation" {
  description = "The labelled questions, what is measured on them, and the least that each metric must reach (0 to 1)."
  nullable    = false
  type = object({
    dataset              = string
    schedule             = optional(object({ cron = string, timezone = string }))
    metrics              = list(string)
    thresholds           = map(number)
    answers_in_lifecycle = number
    most_worse           = optional(number)
    judge_tokens         = optional(number, 1000000)
    judge_failures       = optional(number, 0.1)
    judge_kappa          = optional(number, 0.6)
    traces = optional(object({
      sample     = number
      most_days  = optional(number, 7)
      schedule   = optional(object({ cron = string, timezone = string }))
      thresholds = optional(map(number), {})
    }))
  })

  validation {
    condition     = alltrue([for threshold in values(var.evaluation.thresholds) : threshold >= 0 && threshold <= 1])
    error_message = "evaluation.thresholds must be from 0 to 1."
  }
  validation {
    condition     = length(var.evaluation.metrics) > 0 && length(setsubtract(keys(var.evaluation.thresholds), var.evaluation.metrics)) == 0
    error_message = "evaluation.metrics must have at least one metric, and every one that evaluation.thresholds names."
  }
  validation {
    condition = (
      coalesce(var.evaluation.most_worse, 0) >= 0 && coalesce(var.evaluation.most_worse, 0) <= 1 &&
      var.evaluation.judge_failures >= 0 && var.evaluation.judge_failures <= 1 &&
      var.evaluation.judge_tokens >= 1 && abs(var.evaluation.judge_kappa) <= 1
    )
    error_message = "evaluation.most_worse and judge_failures must be from 0 to 1, judge_kappa from -1 to 1, judge_tokens 1 or more."
  }
  validation {
    condition = var.evaluation.traces == null ? true : (
      var.evaluation.traces.sample >= 1 && var.evaluation.traces.sample <= 1000 && var.evaluation.traces.most_days >= 1 &&
      alltrue([
        for metric, threshold in var.evaluation.traces.thresholds :
        contains(["groundedness", "faithfulness", "answer_relevancy"], metric) && contains(var.evaluation.metrics, metric) &&
        threshold >= 0 && threshold <= 1
      ])
    )
    error_message = "evaluation.traces: sample must be from 1 to 1000, most_days 1 or more, and thresholds from 0 to 1, of groundedness, faithfulness and answer_relevancy where evaluation.metrics has them."
  }
}
