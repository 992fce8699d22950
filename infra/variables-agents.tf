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
    # So many passages, of the knowledge base and of the web each, and so many tokens of them in all.
    prompt = optional(object({
      passages = number
      tokens   = number
    }))
    routing = optional(object({
      certain_from = number
      web_results  = number
    }))
    budgets = optional(object({
      tokens      = number
      tool_calls  = number
      corrections = number
    }))
    freshness = optional(object({
      objective_hours = number
      window_minutes  = number
      # For AWS: secret is a name of data.secrets.
      prefect_credentials = optional(object({ kind = string, secret = string }))
    }))
    # The key is in key_variable on a laptop, and is key_secret, a name of data.secrets, on AWS.
    web_search = optional(object({
      key_variable        = optional(string)
      key_secret          = optional(string)
      results             = optional(number, 5)
      text_characters     = optional(number, 4000)
      page_bytes          = optional(number, 2000000)
      seconds             = optional(number, 10)
      searches_per_minute = optional(number, 30)
      pages_per_minute    = optional(number, 60)
      cache_seconds       = optional(number, 900)
    }))
    sign_in = optional(object({ required = bool }))
    allowance = optional(object({
      requests_per_minute = optional(number)
      burst               = optional(number, 10)
      tokens_per_day      = optional(number)
    }))
    load = optional(object({
      answers      = number
      waiting      = number
      wait_seconds = number
    }))
    conversations = optional(object({ kept_days = number }))

    # What a new version must pass before people get it.
    gate = optional(object({
      questions   = optional(number, 20)
      least_right = optional(number, 0.6)
      most_worse  = optional(number, 0.1)
    }))
    tracing = optional(object({
      host                = string
      public_key          = string
      secret_key_variable = optional(string, "LANGFUSE_SECRET_KEY")
    }))
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
  validation {
    condition = var.agents.prompt == null ? true : (
      var.agents.prompt.passages >= 1 && var.agents.prompt.passages <= 50 && var.agents.prompt.tokens >= 200
    )
    error_message = "agents.prompt: passages must be from 1 to 50, tokens 200 or more."
  }
  validation {
    condition = var.agents.routing == null ? true : (
      var.agents.routing.certain_from >= 0 && var.agents.routing.certain_from <= 1 &&
      var.agents.routing.web_results >= 1 && var.agents.routing.web_results <= 10
    )
    error_message = "agents.routing: certain_from must be from 0 to 1, web_results from 1 to 10."
  }
  validation {
    condition = var.agents.budgets == null ? true : (
      var.agents.budgets.tokens >= 512 && var.agents.budgets.tool_calls >= 0 &&
      var.agents.budgets.corrections >= 0 && var.agents.budgets.corrections <= 5
    )
    error_message = "agents.budgets: tokens must be 512 or more, tool_calls 0 or more, corrections from 0 to 5."
  }
  validation {
    condition = var.agents.freshness == null ? true : (
      var.agents.freshness.objective_hours > 0 && var.agents.freshness.window_minutes > 0
    )
    error_message = "agents.freshness: objective_hours and window_minutes must be above 0."
  }
  validation {
    condition     = contains(["api_key", "auth_string"], try(var.agents.freshness.prefect_credentials.kind, "api_key"))
    error_message = "agents.freshness.prefect_credentials.kind must be one of api_key, auth_string."
  }
  validation {
    condition     = !var.environment.protected || try(var.agents.sign_in.required, false)
    error_message = "The environment is protected: agents.sign_in.required must be true."
  }
  validation {
    condition = alltrue([
      for count in [
        try(var.agents.allowance.requests_per_minute, null), try(var.agents.allowance.burst, null),
        try(var.agents.allowance.tokens_per_day, null), try(var.agents.load.answers, null),
        try(var.agents.conversations.kept_days, null),
      ] : count == null ? true : count >= 1
    ])
    error_message = "agents: allowance.requests_per_minute, burst and tokens_per_day, load.answers and conversations.kept_days must be 1 or more."
  }
  validation {
    condition     = var.agents.load == null ? true : var.agents.load.waiting >= 0 && var.agents.load.wait_seconds > 0
    error_message = "agents.load: waiting must be 0 or more, wait_seconds above 0."
  }
  validation {
    condition = var.agents.tracing == null || try(
      var.environment.name == "local" && can(regex("^https?://\\S+$", var.agents.tracing.host))
      && can(regex("^pk-lf-\\S+$", var.agents.tracing.public_key))
      && can(regex("^[A-Z][A-Z0-9_]*$", var.agents.tracing.secret_key_variable)),
      false
    )
    error_message = "agents.tracing is for local (addons.langfuse says it elsewhere) and needs host (http:// or https://), public_key (starting with pk-lf-) and secret_key_variable (A-Z, 0-9, _)."
  }
  # That a laptop has the one and AWS the other is checked at laptop and data, which other variables do not wait for.
  validation {
    condition = var.agents.web_search == null ? true : (
      (var.agents.web_search.key_variable == null) != (var.agents.web_search.key_secret == null) &&
      can(regex("^[A-Z][A-Z0-9_]*$", coalesce(var.agents.web_search.key_variable, "NONE")))
    )
    error_message = "agents.web_search has either key_variable (A-Z, 0-9, _) or key_secret."
  }
  validation {
    condition = try(alltrue([
      var.agents.web_search.results >= 1, var.agents.web_search.results <= 20,
      var.agents.web_search.text_characters >= 200, var.agents.web_search.text_characters <= 100000,
      var.agents.web_search.page_bytes >= 1024, var.agents.web_search.page_bytes <= 50000000,
      var.agents.web_search.seconds > 0, var.agents.web_search.seconds <= 60,
      var.agents.web_search.searches_per_minute >= 1, var.agents.web_search.pages_per_minute >= 1,
      var.agents.web_search.cache_seconds >= 0,
    ]), var.agents.web_search == null)
    error_message = "agents.web_search: results must be 1 to 20, text_characters 200 to 100000, page_bytes 1024 to 50000000, seconds above 0 and at most 60, the rates 1 or more, cache_seconds 0 or more."
  }
  validation {
    condition = var.agents.gate == null ? true : (
      var.agents.gate.questions >= 1 && floor(var.agents.gate.questions) == var.agents.gate.questions
    )
    error_message = "agents.gate.questions must be a whole number of 1 or more."
  }
  validation {
    condition = var.agents.gate == null ? true : alltrue([
      for share in [var.agents.gate.least_right, var.agents.gate.most_worse] : share >= 0 && share <= 1
    ])
    error_message = "agents.gate.least_right and agents.gate.most_worse must be from 0 to 1."
  }
}
