variable "network" {
  description = "The VPC: its addresses, the subnets of each availability zone, and its ways out."
  default     = null
  type = object({
    cidr = string
    # By the zone's name. Nodes and pods live in private, so it is the large one.
    zones        = map(object({ public = string, private = string, intra = string }))
    nat_gateways = string
    interface_endpoints = object({
      placement = string
      services = optional(list(string), [
        "ecr.api", "ecr.dkr", "ec2", "eks", "eks-auth", "elasticloadbalancing", "sts", "logs", "ssm", "secretsmanager",
        "sqs", "aps-workspaces", "bedrock-runtime",
      ])
    })
    flow_log_days = number
    # Private networks beyond the VPC where the agents find Prefect or Langfuse.
    neighbours = optional(list(string), [])
  })

  validation {
    condition     = (var.network == null) == (var.environment.name == "local")
    error_message = "Every environment but local needs a network section; local has none."
  }
  validation {
    condition = try(alltrue([
      for cidr in flatten([var.network.cidr, [for zone in values(var.network.zones) : values(zone)]]) :
      !strcontains(cidr, ":") && try(cidrhost(cidr, 0) == split("/", cidr)[0], false)
    ]), var.network == null)
    error_message = "network: cidr and every subnet must be an IPv4 range that starts at its first address, such as \"10.40.0.0/16\"."
  }
  validation {
    condition     = try(split("/", var.network.cidr)[1] >= 16 && split("/", var.network.cidr)[1] <= 18, true)
    error_message = "network.cidr must be from /16 to /18: a smaller one has no room for three zones of pods, a larger one AWS refuses."
  }
  validation {
    condition     = try(length(var.network.zones) >= 3, var.network == null)
    error_message = "network.zones must have at least 3 availability zones."
  }
  validation {
    condition     = try(alltrue([for zone in keys(var.network.zones) : can(regex("^${var.environment.region}[a-z]$", zone))]), var.network == null)
    error_message = "network.zones must be availability zones of environment.region, such as \"us-east-1a\"."
  }
  validation {
    condition = try(alltrue([
      for zone in values(var.network.zones) :
      split("/", zone.public)[1] <= 26 && split("/", zone.private)[1] <= 20 && split("/", zone.intra)[1] <= 28
    ]), true)
    error_message = "network.zones: a subnet is too small; public must be /26 or larger (load balancers), private /20 or larger (a /28 for every 16 pods), intra /28 or larger."
  }
  validation {
    condition = try(alltrue([
      for cidr in flatten([for zone in values(var.network.zones) : values(zone)]) :
      split("/", cidr)[1] > split("/", var.network.cidr)[1] &&
      cidrhost("${split("/", cidr)[0]}/${split("/", var.network.cidr)[1]}", 0) == cidrhost(var.network.cidr, 0)
    ]), true)
    error_message = "network.zones: every subnet must lie inside network.cidr."
  }
  validation {
    # Two ranges overlap when both have the same first address under the shorter prefix of the two; one is its own only.
    condition = try(alltrue([
      for one in flatten([for zone in values(var.network.zones) : values(zone)]) : length([
        for other in flatten([for zone in values(var.network.zones) : values(zone)]) : other if
        cidrhost("${split("/", one)[0]}/${min(split("/", one)[1], split("/", other)[1])}", 0) ==
        cidrhost("${split("/", other)[0]}/${min(split("/", one)[1], split("/", other)[1])}", 0)
      ]) == 1
    ]), true)
    error_message = "network.zones: two subnets overlap; every address may belong to one subnet only."
  }
  validation {
    condition = try(alltrue([
      for cidr in var.network.neighbours : cidrhost(cidr, 0) == split("/", cidr)[0] && anytrue([
        for private in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"] :
        split("/", cidr)[1] >= split("/", private)[1] &&
        cidrhost("${split("/", cidr)[0]}/${split("/", private)[1]}", 0) == split("/", private)[0]
        ]) && (
        cidrhost("${split("/", cidr)[0]}/${min(split("/", cidr)[1], split("/", var.network.cidr)[1])}", 0) !=
        cidrhost("${split("/", var.network.cidr)[0]}/${min(split("/", cidr)[1], split("/", var.network.cidr)[1])}", 0)
      )
    ]), var.network == null)
    error_message = "network.neighbours must be private IPv4 ranges that start at their first address and do not overlap network.cidr."
  }
  validation {
    condition     = try(contains(["single", "per_zone"], var.network.nat_gateways), var.network == null)
    error_message = "network.nat_gateways must be one of single, per_zone."
  }
  validation {
    condition     = try(contains(["single", "per_zone"], var.network.interface_endpoints.placement), var.network == null)
    error_message = "network.interface_endpoints.placement must be one of single, per_zone."
  }
  validation {
    condition = try(length(setsubtract(var.network.interface_endpoints.services, [
      "ecr.api", "ecr.dkr", "ec2", "eks", "eks-auth", "elasticloadbalancing", "sts", "logs", "ssm", "secretsmanager",
      "sqs", "aps-workspaces", "bedrock-runtime", "ebs",
    ])) == 0, var.network == null)
    error_message = "network.interface_endpoints.services must be of ecr.api, ecr.dkr, ec2, eks, eks-auth, elasticloadbalancing, sts, logs, ssm, secretsmanager, sqs, aps-workspaces, bedrock-runtime, ebs."
  }
  validation {
    condition     = try(contains(local.log_retention_days, var.network.flow_log_days), var.network == null)
    error_message = "network.flow_log_days must be a retention that CloudWatch Logs has: ${join(", ", local.log_retention_days)}."
  }
}

locals {
  log_retention_days = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
}

check "one_zone_can_fail" {
  assert {
    condition     = !var.environment.protected || try(var.network.nat_gateways, "per_zone") == "per_zone"
    error_message = "The environment is protected, but all its zones leave through one NAT gateway: set network.nat_gateways to per_zone."
  }
}
