variable "agents" {
  description = "Thresholds (0 to 1) and limits of the agent service."
  nullable    = false
  type = object({
    relevancy_threshold    = number
    groundedness_threshold = number
    passages               = number
    answer_tokens          = number
    answer_seconds         = number
    question_bytes         = number
  })

  validation {
    condition = alltrue([
      for share in [var.agents.relevancy_threshold, var.agents.groundedness_threshold] : share >= 0 && share <= 1
    ])
    error_message = "agents.relevancy_threshold and agents.groundedness_threshold must be from 0 to 1."
  }
  validation {
    condition     = var.agents.passages >= 1 && var.agents.passages <= 50
    error_message = "agents.passages must be from 1 to 50."
  }
  validation {
    condition     = var.agents.answer_tokens >= 16 && var.agents.answer_seconds > 0 && var.agents.question_bytes >= 256
    error_message = "agents: answer_tokens must be 16 or more, answer_seconds above 0, question_bytes 256 or more."
  }
}
