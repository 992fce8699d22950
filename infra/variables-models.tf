variable "models" {
  description = "All models by name, and the name that plays each role."
  nullable    = false
  type = object({
    catalogue = map(object({
      runs_on        = string
      context_tokens = number
      replicas       = optional(number, 1)
      threads        = optional(number, 1)
      dimension      = optional(number)
      packaged = optional(object({
        package       = string
        build         = string
        sha256        = string
        source_sha256 = string
      }))
      weights = optional(object({
        repository      = string
        revision        = string
        licence         = string
        manifest_sha256 = optional(string)
      }))
      serving = optional(object({
        cpus          = number
        memory_gib    = number
        accelerators  = optional(number)
        pool          = optional(string)
        dtype         = optional(string, "bfloat16")
        most_replicas = optional(number)
        start_seconds = optional(number, 1800)
        neuron        = optional(object({ cores = number, batch_size = number }))
      }))
      bedrock_id = optional(string)
      fallbacks  = optional(list(string), [])
    }))
    chat      = string
    reasoning = string
    embedding = string
    judge     = optional(string)

    former_embedding = optional(string)

    # What each client of the gateway may spend, on AWS.
    budgets = optional(object({
      agents     = optional(object({ usd = number, every = string }))
      evaluation = optional(object({ usd = number, every = string }))
    }))
  })

  validation {
    condition = alltrue([
      for model in values(var.models.catalogue) : contains(
        var.environment.name == "local" ? ["process", "bedrock"] : ["gpu", "neuron", "kuberay", "bedrock"], model.runs_on
      )
    ])
    error_message = "models.catalogue.*.runs_on must be process or bedrock in local, and gpu, neuron, kuberay or bedrock elsewhere."
  }
  validation {
    condition = alltrue([
      for model in values(var.models.catalogue) :
      (model.packaged != null) == (model.runs_on == "process") &&
      (model.bedrock_id != null) == (model.runs_on == "bedrock") &&
      (model.weights != null) == contains(["gpu", "neuron", "kuberay"], model.runs_on)
    ])
    error_message = "A model has exactly one origin: packaged for process, bedrock_id for bedrock, weights for gpu, neuron and kuberay."
  }
  validation {
    condition = alltrue([
      for model in values(var.models.catalogue) : (model.serving != null) == contains(["gpu", "neuron", "kuberay"], model.runs_on)
    ])
    error_message = "models.catalogue.*.serving is needed for gpu, neuron and kuberay, and by nothing else."
  }
  validation {
    condition = alltrue([
      for model in values(var.models.catalogue) : try(
        (model.serving.accelerators != null) == (model.runs_on != "kuberay") &&
        (model.serving.neuron != null) == (model.runs_on == "neuron") &&
        coalesce(model.serving.most_replicas, model.replicas) >= model.replicas &&
        contains(["bfloat16", "float16"], model.serving.dtype) &&
        min(model.serving.cpus, model.serving.memory_gib, coalesce(model.serving.accelerators, 1)) >= 1 &&
        model.serving.start_seconds >= 60 && model.serving.start_seconds <= 7200,
        model.serving == null
      )
    ])
    error_message = "models.catalogue.*.serving: accelerators for gpu and neuron, neuron for neuron; most_replicas not below replicas; dtype bfloat16 or float16; start_seconds from 60 to 7200."
  }
  validation {
    condition = alltrue([
      for model in values(var.models.catalogue) : model.weights == null || can(regex("^[0-9a-f]{40}$", model.weights.revision))
    ])
    error_message = "models.catalogue.*.weights.revision must be a commit: 40 digits of 0-9 and a-f."
  }
  validation {
    condition = alltrue([
      for model in values(var.models.catalogue) : model.context_tokens >= 128 && model.replicas >= 0 && model.threads >= 1
    ])
    error_message = "models.catalogue.*: context_tokens must be 128 or more, replicas 0 or more, threads 1 or more."
  }
  validation {
    condition = alltrue([
      for name in compact([
        var.models.chat, var.models.reasoning, var.models.embedding, var.models.former_embedding, var.models.judge,
      ]) : contains(keys(var.models.catalogue), name)
    ])
    error_message = "models.chat, reasoning, embedding, former_embedding and judge must each name a model of models.catalogue."
  }
  validation {
    condition = alltrue(flatten([
      for name, model in var.models.catalogue : [
        for fallback in model.fallbacks : fallback != name && contains(keys(var.models.catalogue), fallback)
      ]
    ]))
    error_message = "models.catalogue.*.fallbacks must name other models of models.catalogue."
  }
  validation {
    condition = alltrue([
      for name in compact([var.models.embedding, var.models.former_embedding]) :
      try(var.models.catalogue[name].dimension, null) != null
    ]) && var.models.embedding != coalesce(var.models.former_embedding, "-")
    error_message = "models.embedding and former_embedding must be two models with a dimension."
  }
  validation {
    condition = alltrue([
      for budget in [try(var.models.budgets.agents, null), try(var.models.budgets.evaluation, null)] :
      budget == null ? true : budget.usd > 0 && contains(["day", "week", "month"], budget.every)
    ])
    error_message = "models.budgets.*: usd must be above 0, every must be one of day, week, month."
  }
}
