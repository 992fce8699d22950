variable "data" {
  description = "Where documents, indexes, images, secrets and the services' own data are kept, and how far back one can go."
  default     = null
  type = object({
    buckets = object({ noncurrent_days = number, result_days = number })
    images = object({
      repositories = list(string)
      kept         = number
      # By prefix; credentials_secret is the name of a secret that a person made beforehand.
      pull_through = map(object({ registry = string, credentials_secret = optional(string) }))
    })
    search = object({
      engine_version    = string
      instance_type     = string
      instance_count    = number
      volume_gib        = number
      dedicated_masters = optional(object({ instance_type = string }))
    })
    # By name. Only generated ones rotate by themselves.
    secrets = map(object({ origin = string, rotation_days = optional(number) }))
    # By client: agents, litellm, langfuse.
    postgres = map(object({ major_version = string, instance_class = string, storage_gib = number, multi_zone = bool }))
    valkey   = map(object({ engine_version = string, node_type = string, nodes = number }))
    backup = optional(object({
      point_in_time_days = number
      snapshot_days      = number
      start_hour         = number
      database_drill     = optional(object({ point_minutes = optional(number, 10), time_minutes = optional(number, 60) }))
    }))
  })

  validation {
    condition     = !try(var.agents.sign_in.required, false) || var.data == null || can(var.data.postgres["agents"])
    error_message = "agents.sign_in.required needs data.postgres.agents, where keys and conversations lie."
  }
  validation {
    condition     = !try(var.agents.sign_in.required, false) || var.data == null || try(var.data.secrets["agents-gate-key"].origin == "generated", false)
    error_message = "agents.sign_in.required needs data.secrets.agents-gate-key with the origin generated, with which a release asks a new version."
  }
  validation {
    condition     = try(var.agents.web_search.key_secret, null) == null ? true : contains(keys(try(var.data.secrets, {})), var.agents.web_search.key_secret)
    error_message = "agents.web_search.key_secret must be a name of data.secrets."
  }
  validation {
    condition = try(var.agents.freshness.prefect_credentials, null) == null ? true : try(
      var.data.secrets[var.agents.freshness.prefect_credentials.secret].origin == "person", false
    )
    error_message = "agents.freshness.prefect_credentials.secret must be a name of data.secrets whose origin is person; local has none."
  }
  validation {
    condition = var.environment.prefect.credentials == null ? true : try(
      var.data.secrets[var.environment.prefect.credentials.secret].origin == "person", false
    )
    error_message = "environment.prefect.credentials.secret must be a name of data.secrets whose origin is person; local has none."
  }
  validation {
    condition     = (var.data == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs a data section; local has none."
  }
  validation {
    condition     = try(min(var.data.buckets.noncurrent_days, var.data.buckets.result_days) >= 1, var.data == null)
    error_message = "data.buckets.noncurrent_days and result_days must be 1 or more."
  }
  validation {
    condition = try(
      alltrue([for image in var.data.images.repositories : can(regex("^[a-z][a-z0-9-]*$", image))]) &&
      length(distinct(var.data.images.repositories)) == length(var.data.images.repositories) && var.data.images.kept >= 1,
      var.data == null
    )
    error_message = "data.images.repositories must be names of a-z, 0-9 and -, all different, and data.images.kept 1 or more."
  }
  validation {
    condition = try(alltrue([
      for prefix, cache in var.data.images.pull_through : can(regex("^[a-z][a-z0-9-]{1,28}$", prefix)) && (
        contains(local.registries_without_credentials, cache.registry) && cache.credentials_secret == null ||
        contains(local.registries_with_credentials, cache.registry) && startswith(coalesce(cache.credentials_secret, "-"), "ecr-pullthroughcache/")
      )
    ]), var.data == null)
    error_message = "data.images.pull_through.*.registry must be one of ${join(", ", local.registries_without_credentials)} (without credentials_secret), or of ${join(", ", local.registries_with_credentials)} (with one whose name starts with ecr-pullthroughcache/)."
  }
  validation {
    condition     = var.data == null || can(regex("^OpenSearch_[0-9]+\\.[0-9]+$", var.data.search.engine_version))
    error_message = "data.search.engine_version must be one of the service's, such as \"OpenSearch_3.3\"."
  }
  validation {
    condition = try(alltrue([
      for type in compact([var.data.search.instance_type, try(var.data.search.dedicated_masters.instance_type, null)]) :
      can(regex("^[a-z]+[0-9]+g[a-z]*\\.[0-9a-z]+\\.search$", type))
    ]), var.data == null)
    error_message = "data.search: instance_type and dedicated_masters.instance_type must be Graviton (arm64) types, such as \"m7g.large.search\"."
  }
  validation {
    condition     = try(var.data.search.instance_count >= 3 && var.data.search.instance_count % 3 == 0, var.data == null)
    error_message = "data.search.instance_count must be a multiple of 3: as many in each of the three zones."
  }
  validation {
    condition     = try(var.data.search.volume_gib >= 10 && var.data.search.volume_gib <= 16384, var.data == null)
    error_message = "data.search.volume_gib must be from 10 to 16384."
  }
  validation {
    condition = try(alltrue([
      for name, secret in var.data.secrets :
      can(regex("^[a-z][a-z0-9-]*$", name)) && contains(["generated", "person"], secret.origin) &&
      (secret.rotation_days == null || secret.origin == "generated" && coalesce(secret.rotation_days, 0) >= 1)
    ]), var.data == null)
    error_message = "data.secrets must be by name of a-z, 0-9 and -; origin must be generated or person; rotation_days is 1 or more, and for generated ones only."
  }
  validation {
    condition     = try(length(setsubtract(concat(keys(var.data.postgres), keys(var.data.valkey)), local.data_clients)) == 0, var.data == null)
    error_message = "data.postgres and data.valkey must be by client: ${join(", ", local.data_clients)}."
  }
  validation {
    condition = try(alltrue([
      for server in values(var.data.postgres) :
      can(regex("^db\\.[a-z]+[0-9]+g[a-z]*\\.[0-9a-z]+$", server.instance_class)) && can(regex("^1[5-9]$", server.major_version)) &&
      server.storage_gib >= 20 && server.storage_gib <= 16384
    ]), var.data == null)
    error_message = "data.postgres.*: instance_class must be a Graviton (arm64) class such as \"db.t4g.micro\", major_version from 15 to 19 such as \"17\", storage_gib from 20 to 16384."
  }
  validation {
    condition = try(alltrue([
      for cache in values(var.data.valkey) :
      can(regex("^cache\\.[a-z]+[0-9]+g[a-z]*\\.[0-9a-z]+$", cache.node_type)) && can(regex("^[78]\\.[0-9]$", cache.engine_version)) &&
      cache.nodes >= 1 && cache.nodes <= 6
    ]), var.data == null)
    error_message = "data.valkey.*: node_type must be a Graviton (arm64) type such as \"cache.t4g.micro\", engine_version such as \"8.0\", nodes from 1 to 6."
  }
  validation {
    condition = try(var.data.backup, null) == null || try(
      var.data.backup.point_in_time_days >= 1 && var.data.backup.point_in_time_days <= 35 &&
      var.data.backup.snapshot_days >= 1 && var.data.backup.start_hour >= 0 && var.data.backup.start_hour <= 23,
      false
    )
    error_message = "data.backup: point_in_time_days must be from 1 to 35, snapshot_days 1 or more, start_hour from 0 to 23 (UTC)."
  }
  validation {
    condition = try(var.data.backup.database_drill, null) == null || try(
      min(var.data.backup.database_drill.point_minutes, var.data.backup.database_drill.time_minutes) >= 1 && can(var.data.postgres["agents"]),
      false
    )
    error_message = "data.backup.database_drill needs data.postgres.agents, which it restores; point_minutes and time_minutes must be 1 or more."
  }
  validation {
    condition     = !var.environment.protected || var.environment.name == "local" || try(var.data.backup, null) != null
    error_message = "The environment is protected: data.backup is needed."
  }
}

locals {
  # The name of a bucket is unique in the world.
  knowledge_bucket = "agentic-eks-${var.environment.name}-knowledge-${coalesce(var.environment.account_id, "none")}"

  data_clients                   = ["agents", "langfuse", "litellm"]
  registries_without_credentials = ["public.ecr.aws", "quay.io", "registry.k8s.io"]
  registries_with_credentials    = ["ghcr.io", "registry-1.docker.io", "registry.gitlab.com"]

  secrets_of_people = [for name, secret in try(var.data.secrets, {}) : name if secret.origin == "person"]
}

check "a_zone_of_data_can_fail" {
  assert {
    condition = !var.environment.protected || var.data == null || try(
      var.data.search.dedicated_masters != null && var.knowledge.store.replicas >= 1 &&
      alltrue(values(var.data.postgres)[*].multi_zone) && alltrue([for cache in values(var.data.valkey) : cache.nodes >= 2]),
      false
    )
    error_message = "The environment is protected, but a zone that fails takes data along: it needs data.search.dedicated_masters, knowledge.store.replicas of 1 or more, data.postgres.*.multi_zone and data.valkey.*.nodes of 2 or more."
  }
}

check "documents_lie_in_the_knowledge_bucket" {
  assert {
    condition     = var.data == null || anytrue([for source in var.knowledge.sources : startswith(source.uri, "s3://${local.knowledge_bucket}/")])
    error_message = "No source of knowledge.sources lies in the knowledge bucket s3://${local.knowledge_bucket}: changes of documents cannot start a refresh, and documents are not backed up."
  }
}
