variable "addons" {
  description = "Which optional add-ons the cluster has, and how patient their rollout is. Flows read it; of resources, Langfuse in the cluster brings a bucket and an identity."
  default     = null
  type = object({
    keda            = optional(bool, false)
    external_dns    = optional(bool, false)
    deadline_factor = optional(number, 1)
    # clickhouse is for the mode self_hosted, the others are for cloud.
    langfuse = optional(object({
      mode       = string
      clickhouse = optional(object({ replicas = number, volume_gib = number }))
      host       = optional(string)
      public_key = optional(string)
    }))
  })

  validation {
    condition     = (var.addons == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs an addons section; local has none."
  }
  validation {
    condition     = try(var.addons.deadline_factor >= 1 && var.addons.deadline_factor <= 10, var.addons == null)
    error_message = "addons.deadline_factor must be from 1 to 10."
  }
  validation {
    condition     = !try(var.addons.external_dns, false) || try(var.edge.domain, null) != null
    error_message = "addons.external_dns needs edge.domain, whose records it writes."
  }
  validation {
    condition     = try(var.addons.langfuse, null) == null || contains(["self_hosted", "cloud"], try(var.addons.langfuse.mode, ""))
    error_message = "addons.langfuse.mode must be one of self_hosted, cloud."
  }
  validation {
    condition = try(var.addons.langfuse.mode, "") != "self_hosted" || try(
      contains([1, 3], var.addons.langfuse.clickhouse.replicas)
      && var.addons.langfuse.clickhouse.volume_gib >= 10 && var.addons.langfuse.clickhouse.volume_gib <= 16384
      && var.addons.langfuse.host == null && var.addons.langfuse.public_key == null,
      false
    )
    error_message = "addons.langfuse of the mode self_hosted needs clickhouse with replicas (1 or 3) and volume_gib (10 to 16384), and none of the keys for cloud."
  }
  validation {
    condition = try(var.addons.langfuse.mode, "") != "self_hosted" || try(
      contains(keys(var.data.postgres), "langfuse") && contains(keys(var.data.valkey), "langfuse")
      && alltrue([for name in local.langfuse_secrets : var.data.secrets[name].origin == "generated" && var.data.secrets[name].rotation_days == null]),
      false
    )
    error_message = "addons.langfuse of the mode self_hosted needs data.postgres.langfuse, data.valkey.langfuse and in data.secrets ${join(", ", local.langfuse_secrets)}, each with the origin generated and without rotation_days."
  }
  validation {
    condition = try(var.addons.langfuse.mode, "") != "cloud" || try(
      startswith(var.addons.langfuse.host, "https://") && can(regex("^pk-lf-\\S+$", var.addons.langfuse.public_key))
      && var.addons.langfuse.clickhouse == null && var.data.secrets["langfuse-secret-key"].origin == "person",
      false
    )
    error_message = "addons.langfuse of the mode cloud needs host (starting with https://), public_key (starting with pk-lf-) and data.secrets.langfuse-secret-key with the origin person, but no clickhouse."
  }
}

locals {
  langfuse_in_cluster = try(var.addons.langfuse.mode, "") == "self_hosted"

  # Langfuse takes each once: one that was renewed would lock it out of what it keeps.
  langfuse_secrets = [
    "langfuse-clickhouse-password",
    "langfuse-encryption-key",
    "langfuse-owner-password",
    "langfuse-salt",
    "langfuse-secret-key",
    "langfuse-session-secret",
    "langfuse-valkey-password",
  ]
}
