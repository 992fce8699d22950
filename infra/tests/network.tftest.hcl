# What the VPC is made of, with one way out for all zones and with one for each.

mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:mock" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
  }
}

variables {
  name       = "test"
  partition  = "aws"
  region     = "us-east-1"
  account_id = "111122223333"
  cidr       = "10.0.0.0/16"
  zones = {
    us-east-1a = { public = "10.0.0.0/24", private = "10.0.64.0/18", intra = "10.0.8.0/24" }
    us-east-1b = { public = "10.0.1.0/24", private = "10.0.128.0/18", intra = "10.0.9.0/24" }
    us-east-1c = { public = "10.0.2.0/24", private = "10.0.192.0/18", intra = "10.0.10.0/24" }
  }
  nat_gateways        = "single"
  interface_endpoints = { placement = "single", services = ["ecr.api", "sts"] }
  flow_log_days       = 30
  log_key_arn         = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
}

run "single" {
  command = plan
  module {
    source = "./modules/network"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["us-east-1a"] && length(aws_route.nat) == 3
    error_message = "Every private subnet must leave through the one NAT gateway."
  }
  assert {
    condition     = aws_subnet.this["private-us-east-1b"].tags["karpenter.sh/discovery"] == "test" && aws_subnet.this["private-us-east-1b"].tags["kubernetes.io/role/internal-elb"] == "1"
    error_message = "Private subnets must be tagged for Karpenter and for internal load balancers."
  }
  assert {
    condition     = [for key, subnet in aws_subnet.this : key if can(subnet.tags["kubernetes.io/role/elb"])] == ["public-us-east-1a", "public-us-east-1b", "public-us-east-1c"]
    error_message = "Public subnets, and no others, must be tagged for load balancers that face the internet."
  }
  assert {
    condition     = alltrue([for key, subnet in aws_subnet.this : !can(subnet.tags["karpenter.sh/discovery"]) || startswith(key, "private")])
    error_message = "Karpenter must find private subnets only."
  }
  assert {
    condition     = length(aws_route_table_association.this) == 9 && length(aws_route_table.private) == 3
    error_message = "Every subnet must have a route table: one for each zone's private subnet, one for all public, one for all intra ones."
  }
  assert {
    condition     = !anytrue([for subnet in aws_subnet.this : subnet.map_public_ip_on_launch])
    error_message = "Nothing may get a public address by itself."
  }
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && toset(values(aws_vpc_endpoint.interface)[*].service_name) == toset(["com.amazonaws.us-east-1.ecr.api", "com.amazonaws.us-east-1.sts"])
    error_message = "The VPC must have the gateway endpoint of S3 and the interface endpoints that are asked for."
  }
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 30 && aws_cloudwatch_log_group.flow.kms_key_id == var.log_key_arn
    error_message = "Flow logs must be of all traffic, kept as long as asked, and encrypted."
  }
  assert {
    condition     = jsondecode(aws_iam_role.flow.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "111122223333"
    error_message = "The flow-log role must not be usable for another account."
  }
}

run "per_zone" {
  command = apply
  module {
    source = "./modules/network"
  }
  variables {
    nat_gateways        = "per_zone"
    interface_endpoints = { placement = "per_zone", services = ["sts"] }
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && alltrue([for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "Every zone must leave through its own NAT gateway."
  }
  assert {
    condition     = alltrue([for zone, gateway in aws_nat_gateway.this : gateway.subnet_id == aws_subnet.this["public-${zone}"].id])
    error_message = "A NAT gateway must stand in the public subnet of its zone."
  }
  assert {
    condition     = aws_vpc_endpoint.interface["sts"].subnet_ids == toset(values(output.subnet_ids.private))
    error_message = "An endpoint must stand in the private subnet of every zone."
  }
  assert {
    condition     = length(aws_vpc_endpoint.s3.route_table_ids) == 4
    error_message = "Private and intra subnets must reach S3 through its endpoint."
  }
  assert {
    condition     = length(output.egress_addresses) == 3 && length(output.subnet_ids.intra) == 3
    error_message = "The outputs must name every zone."
  }
}
