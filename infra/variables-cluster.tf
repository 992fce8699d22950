variable "cluster" {
  description = "The EKS cluster: its Kubernetes minor, who reaches its API, its system nodes and its managed add-ons."
  default     = null
  type = object({
    kubernetes_version  = string
    service_cidr        = optional(string, "172.20.0.0/16")
    public_access_cidrs = optional(list(string), [])
    log_days            = number
    system_nodes        = object({ instance_types = list(string), minimum = number, maximum = number, disk_gib = optional(number, 50) })
    # By add-on, in place of the version that infra/addon-versions.json lists first for the Kubernetes minor.
    addon_versions = optional(map(string), {})
  })

  validation {
    condition     = (var.cluster == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs a cluster section; local has none."
  }
  validation {
    condition     = try(contains(keys(local.known_addons), var.cluster.kubernetes_version), var.cluster == null)
    error_message = "cluster.kubernetes_version must be one that infra/addon-versions.json has add-ons for: ${join(", ", keys(local.known_addons))}."
  }
  validation {
    condition = try(alltrue([
      for addon, version in var.cluster.addon_versions : contains(local.known_addons[var.cluster.kubernetes_version][addon], version)
    ]), var.cluster == null)
    error_message = "cluster.addon_versions must name add-ons and versions that infra/addon-versions.json lists for the Kubernetes minor."
  }
  validation {
    condition = try(
      anytrue([for private in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] : cidrhost("${split("/", var.cluster.service_cidr)[0]}/${split("/", private)[1]}", 0) == cidrhost(private, 0)]) &&
      split("/", var.cluster.service_cidr)[1] >= 12 && split("/", var.cluster.service_cidr)[1] <= 24 && cidrhost(var.cluster.service_cidr, 0) == split("/", var.cluster.service_cidr)[0],
      var.cluster == null
    )
    error_message = "cluster.service_cidr must be a private IPv4 range from /12 to /24."
  }
  validation {
    condition = try(
      cidrhost("${split("/", var.cluster.service_cidr)[0]}/${min(split("/", var.cluster.service_cidr)[1], split("/", var.network.cidr)[1])}", 0)
      != cidrhost("${split("/", var.network.cidr)[0]}/${min(split("/", var.cluster.service_cidr)[1], split("/", var.network.cidr)[1])}", 0),
      true
    )
    error_message = "cluster.service_cidr overlaps network.cidr."
  }
  validation {
    condition     = try(alltrue([for cidr in var.cluster.public_access_cidrs : can(cidrhost(cidr, 0)) && !strcontains(cidr, ":")]), var.cluster == null)
    error_message = "cluster.public_access_cidrs must be IPv4 ranges, such as \"203.0.113.0/24\"."
  }
  validation {
    condition     = !(var.environment.protected || var.environment.name == "prod") || try(!anytrue([for cidr in var.cluster.public_access_cidrs : endswith(cidr, "/0")]), true)
    error_message = "cluster.public_access_cidrs opens the API of a protected environment to everybody: name the ranges that may reach it."
  }
  validation {
    condition     = try(contains(local.log_retention_days, var.cluster.log_days), var.cluster == null)
    error_message = "cluster.log_days must be a retention that CloudWatch Logs has: ${join(", ", local.log_retention_days)}."
  }
  validation {
    condition = try(
      length(var.cluster.system_nodes.instance_types) > 0 && alltrue([for type in var.cluster.system_nodes.instance_types : can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.[0-9a-z-]+$", type))]),
      var.cluster == null
    )
    error_message = "cluster.system_nodes.instance_types must be Graviton (arm64) types, such as \"m7g.large\"."
  }
  validation {
    condition     = try(var.cluster.system_nodes.minimum >= 2 && var.cluster.system_nodes.maximum >= var.cluster.system_nodes.minimum && var.cluster.system_nodes.disk_gib >= 20, var.cluster == null)
    error_message = "cluster.system_nodes: minimum must be 2 or more, maximum not below minimum, disk_gib 20 or more."
  }
}

locals {
  known_addons = jsondecode(file("${path.module}/addon-versions.json"))
}

check "the_api_is_not_open_to_everybody" {
  assert {
    condition     = try(!anytrue([for cidr in var.cluster.public_access_cidrs : endswith(cidr, "/0")]), true)
    error_message = "cluster.public_access_cidrs opens the Kubernetes API to everybody who has credentials; name the ranges that need it."
  }
}

check "a_system_node_in_every_zone" {
  assert {
    condition     = !var.environment.protected || try(var.cluster.system_nodes.minimum >= length(var.network.zones), true)
    error_message = "The environment is protected, but has fewer system nodes than zones: raise cluster.system_nodes.minimum."
  }
}
