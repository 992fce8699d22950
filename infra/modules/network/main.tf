# The VPC and its subnets. Load balancers stand in the public ones, nodes and pods in the private ones, and the control
# plane's network interfaces in the intra ones, which have no way out.

locals {
  zones = sort(keys(var.zones))

  subnets = merge([
    for zone, cidrs in var.zones : {
      for tier, cidr in cidrs : "${tier}-${zone}" => { tier = tier, zone = zone, cidr = cidr }
    }
  ]...)

  tier_tags = {
    public  = { "kubernetes.io/role/elb" = "1" }
    private = { "kubernetes.io/role/internal-elb" = "1", "karpenter.sh/discovery" = var.name }
    intra   = {}
  }

  subnet_ids = {
    for tier in keys(local.tier_tags) : tier => {
      for key, subnet in local.subnets : subnet.zone => aws_subnet.this[key].id if subnet.tier == tier
    }
  }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = var.name }
}

# The group that AWS makes with the VPC: with no rules, nothing can use it by mistake.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-unused" }
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.cidr
  map_public_ip_on_launch = false

  tags = merge({ Name = "${var.name}-${each.key}" }, local.tier_tags[each.value.tier])
}
