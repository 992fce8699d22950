variable "capacity" {
  description = "The nodes that Karpenter may launch, by pool, and the releases of their images; flows read it, no resource does."
  default     = null
  type = object({
    images = object({ al2023 = string, bottlerocket = string })
    pools = map(object({
      kind              = string
      instance_families = list(string)
      capacity_types    = list(string)
      limits            = object({ vcpu = number, memory_gib = number, accelerators = optional(number) })
      weight            = optional(number, 10)
      largest_vcpu      = optional(number)
      disk_gib          = optional(number, 100)
      node_days         = optional(number, 14)
      idle_minutes      = optional(number, 5)
      at_once_percent   = optional(number, 10)
      quiet_hours       = optional(object({ cron = string, hours = number }))
    }))
  })

  validation {
    condition     = (var.capacity == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs a capacity section; local has none."
  }
  validation {
    condition     = var.capacity == null || can(regex("^v20[0-9]{6} v[0-9]+\\.[0-9]+\\.[0-9]+$", "${var.capacity.images.al2023} ${var.capacity.images.bottlerocket}"))
    error_message = "capacity.images: al2023 must be a release such as \"v20260903\", bottlerocket one such as \"v1.64.0\"."
  }
  validation {
    condition     = try(alltrue([for name in keys(var.capacity.pools) : can(regex("^[a-z][a-z0-9-]*$", name))]), var.capacity == null)
    error_message = "capacity.pools must have names of a-z, 0-9 and -, starting with a letter."
  }
  validation {
    condition     = try(contains(values(var.capacity.pools)[*].kind, "graviton"), var.capacity == null)
    error_message = "capacity.pools needs one with kind = \"graviton\", on which everything without accelerators runs."
  }
  validation {
    condition = try(alltrue([
      for pool in values(var.capacity.pools) : length(pool.instance_families) > 0 && alltrue([
        for family in pool.instance_families : try(local.instance_families[family].accelerator.kind, "graviton") == pool.kind && contains(keys(local.instance_families), family)
      ])
    ]), var.capacity == null)
    error_message = "capacity.pools.*: kind must be graviton, gpu or neuron, and instance_families must be families of infra/instance-types.json of that kind."
  }
  validation {
    condition = try(alltrue([
      for pool in values(var.capacity.pools) : length(pool.capacity_types) > 0 && alltrue([for type in pool.capacity_types : contains(["spot", "on-demand"], type)])
    ]), var.capacity == null)
    error_message = "capacity.pools.*.capacity_types must be spot, on-demand or both."
  }
  validation {
    condition     = try(alltrue([for pool in values(var.capacity.pools) : (pool.kind == "graviton") == (pool.limits.accelerators == null)]), var.capacity == null)
    error_message = "capacity.pools.*.limits.accelerators is needed by gpu and neuron; graviton has none."
  }
  validation {
    condition = try(alltrue([
      for pool in values(var.capacity.pools) : anytrue(flatten([
        for family in pool.instance_families : [
          for size in values(local.instance_families[family].sizes) :
          size.vcpu <= min(pool.limits.vcpu, coalesce(pool.largest_vcpu, pool.limits.vcpu)) &&
          size.memory_gib <= pool.limits.memory_gib && try(size.accelerators, 0) <= coalesce(pool.limits.accelerators, 0)
        ]
      ]))
    ]), var.capacity == null)
    error_message = "capacity.pools.*: no instance type of the pool fits into its limits and largest_vcpu."
  }
  validation {
    condition = try(alltrue([
      for pool in values(var.capacity.pools) :
      pool.weight >= 1 && pool.weight <= 100 && pool.disk_gib >= 20 && pool.node_days >= 1 && pool.idle_minutes >= 0 && pool.at_once_percent >= 1 && pool.at_once_percent <= 100
    ]), var.capacity == null)
    error_message = "capacity.pools.*: weight and at_once_percent must be from 1 to 100, disk_gib 20 or more, node_days 1 or more, idle_minutes 0 or more."
  }
  validation {
    condition = try(alltrue([
      for pool in values(var.capacity.pools) : pool.quiet_hours == null || try(can(regex("^\\S+( \\S+){4}$", pool.quiet_hours.cron)) && pool.quiet_hours.hours >= 1 && pool.quiet_hours.hours <= 24, false)
    ]), var.capacity == null)
    error_message = "capacity.pools.*.quiet_hours: cron must be a cron line of five fields, hours from 1 to 24."
  }
}

locals {
  instance_families = jsondecode(file("${path.module}/instance-types.json")).families
}
