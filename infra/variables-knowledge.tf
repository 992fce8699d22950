variable "knowledge" {
  description = "The knowledge base: its sources, chunks, store, fusion and generations."
  nullable    = false
  type = object({
    sources = list(object({
      name    = string
      uri     = string
      include = optional(list(string), ["**/*"])
    }))
    schedule = optional(object({ cron = string, timezone = string }))
    chunks   = object({ tokens = number, overlap_tokens = number })
    # directory is for the engine lancedb, the others are for opensearch.
    store = object({
      engine             = string
      directory          = optional(string)
      endpoint           = optional(string)
      index_prefix       = optional(string)
      shards             = optional(number, 1)
      replicas           = optional(number, 1)
      snapshot_directory = optional(string)
    })
    fusion = object({ method = string, dense_weight = number, candidates = number })
    gate = optional(
      object({ tolerance = optional(number, 0.05), questions = optional(number, 200) }),
      { tolerance = 0.05, questions = 200 },
    )
    deletion_guard = optional(
      object({ documents = optional(number, 10), percent = optional(number, 10) }),
      { documents = 10, percent = 10 },
    )
    recovery = optional(
      object({
        schedule     = optional(object({ cron = string, timezone = string }))
        point_hours  = optional(number, 48)
        time_minutes = optional(number, 30)
      }),
      { schedule = null, point_hours = 48, time_minutes = 30 },
    )
    events = optional(object({
      schedule        = object({ cron = string, timezone = string })
      quiet_minutes   = optional(number, 10)
      longest_minutes = optional(number, 60)
    }))
    generations_kept  = number
    max_document_mib  = number
    embedding_workers = number
  })

  validation {
    condition     = length(var.knowledge.sources) > 0 && alltrue([for source in var.knowledge.sources : can(regex("^(file|s3)://.+", source.uri))])
    error_message = "knowledge.sources must have at least one source, each uri file://<directory> or s3://<bucket>/<prefix>."
  }
  validation {
    condition     = length(distinct(var.knowledge.sources[*].name)) == length(var.knowledge.sources)
    error_message = "knowledge.sources must have a name each, all different."
  }
  validation {
    condition     = var.knowledge.chunks.tokens >= 32 && var.knowledge.chunks.overlap_tokens >= 0 && var.knowledge.chunks.overlap_tokens * 2 <= var.knowledge.chunks.tokens
    error_message = "knowledge.chunks.tokens must be 32 or more, and overlap_tokens from 0 to half of it."
  }
  validation {
    condition = (
      var.knowledge.store.engine == "lancedb" && var.environment.name == "local" && var.knowledge.store.directory != null ||
      var.knowledge.store.engine == "opensearch" && var.knowledge.store.directory == null
    )
    error_message = "knowledge.store.engine must be lancedb (with a directory, in local only) or opensearch (without a directory)."
  }
  validation {
    condition     = (var.knowledge.store.engine == "opensearch") == (var.knowledge.store.index_prefix != null)
    error_message = "knowledge.store.index_prefix is needed by the engine opensearch, and by no other."
  }
  validation {
    condition     = contains(["rrf", "min_max"], var.knowledge.fusion.method)
    error_message = "knowledge.fusion.method must be one of rrf, min_max."
  }
  validation {
    condition     = var.knowledge.fusion.dense_weight >= 0 && var.knowledge.fusion.dense_weight <= 1
    error_message = "knowledge.fusion.dense_weight must be from 0 to 1."
  }
  validation {
    condition     = var.knowledge.fusion.candidates >= 1 && var.knowledge.fusion.candidates <= 1000
    error_message = "knowledge.fusion.candidates must be from 1 to 1000."
  }
  validation {
    condition     = var.knowledge.gate.tolerance >= 0 && var.knowledge.gate.tolerance <= 1
    error_message = "knowledge.gate.tolerance must be from 0 to 1."
  }
  validation {
    condition     = var.knowledge.gate.questions >= 0 && var.knowledge.gate.questions <= 1000
    error_message = "knowledge.gate.questions must be from 0 to 1000."
  }
  validation {
    condition     = var.knowledge.deletion_guard.documents >= 0 && var.knowledge.deletion_guard.percent >= 0 && var.knowledge.deletion_guard.percent <= 100
    error_message = "knowledge.deletion_guard.documents must be 0 or more, and percent from 0 to 100."
  }
  validation {
    condition     = min(var.knowledge.recovery.point_hours, var.knowledge.recovery.time_minutes) >= 1 && can(regex("^\\S+( \\S+){4}$", try(var.knowledge.recovery.schedule.cron, "* * * * *")))
    error_message = "knowledge.recovery: point_hours and time_minutes must be 1 or more, and schedule.cron a cron line of five fields."
  }
  validation {
    condition = var.knowledge.events == null || try(
      var.environment.name != "local" && min(var.knowledge.events.quiet_minutes, var.knowledge.events.longest_minutes) >= 1 &&
      can(regex("^\\S+( \\S+){4}$", var.knowledge.events.schedule.cron)), false
    )
    error_message = "knowledge.events is for environments on AWS; quiet_minutes and longest_minutes must be 1 or more, and schedule.cron a cron line of five fields."
  }
  validation {
    condition     = var.knowledge.store.snapshot_directory == null || var.knowledge.store.engine == "opensearch" && var.environment.name == "local"
    error_message = "knowledge.store.snapshot_directory is for the engine opensearch in local; on AWS data.backup has a bucket for snapshots."
  }
  validation {
    condition     = min(var.knowledge.generations_kept, var.knowledge.max_document_mib, var.knowledge.embedding_workers) >= 1
    error_message = "knowledge.generations_kept, max_document_mib and embedding_workers must be 1 or more."
  }
}
