# Which network sections are refused.

run "local_has_no_network" {
  command = plan
  variables {
    environment   = merge(var.environment, { name = "local", account_id = null, region = null })
    addons        = null
    capacity      = null
    access        = null
    cluster       = null
    observability = null
    data          = null
    edge          = null
    operations    = null
  }
  expect_failures = [var.network, var.laptop, var.models]
}

run "aws_needs_a_network" {
  command = plan
  variables {
    network = null
  }
  expect_failures = [var.network]
}

run "a_range_that_is_none_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { cidr = "10.0.0.0" })
  }
  expect_failures = [var.network]
}

run "a_range_that_does_not_start_at_its_first_address_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { cidr = "10.0.0.1/18" })
  }
  expect_failures = [var.network]
}

run "neighbours_beyond_the_vpc_are_accepted" {
  command = plan
  variables {
    network = merge(var.network, { neighbours = ["10.80.0.0/16", "172.20.0.0/14", "192.168.4.0/24", "100.64.0.0/10"] })
  }
}

run "a_neighbour_on_the_internet_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { neighbours = ["10.80.0.0/16", "203.0.113.0/24"] })
  }
  expect_failures = [var.network]
}

run "a_neighbour_in_the_vpc_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { neighbours = [var.network.cidr] })
  }
  expect_failures = [var.network]
}

run "a_vpc_that_is_too_small_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { cidr = "10.0.0.0/19" })
  }
  expect_failures = [var.network]
}

run "a_vpc_that_is_too_large_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { cidr = "10.0.0.0/15" })
  }
  expect_failures = [var.network]
}

run "two_zones_are_refused" {
  command = plan
  variables {
    network = merge(var.network, { zones = { for name, zone in var.network.zones : name => zone if name != "us-east-1c" } })
  }
  expect_failures = [var.network]
}

run "zones_of_another_region_are_refused" {
  command = plan
  variables {
    network = merge(var.network, { zones = { for name, zone in var.network.zones : replace(name, "us-east-1", "eu-west-1") => zone } })
  }
  expect_failures = [var.network]
}

run "a_public_subnet_that_is_too_small_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { zones = merge(var.network.zones, {
      us-east-1a = merge(var.network.zones.us-east-1a, { public = "10.0.48.0/27" })
    }) })
  }
  expect_failures = [var.network]
}

run "a_private_subnet_that_is_too_small_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { zones = merge(var.network.zones, {
      us-east-1a = merge(var.network.zones.us-east-1a, { private = "10.0.0.0/21" })
    }) })
  }
  expect_failures = [var.network]
}

run "an_intra_subnet_that_is_too_small_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { zones = merge(var.network.zones, {
      us-east-1a = merge(var.network.zones.us-east-1a, { intra = "10.0.49.0/29" })
    }) })
  }
  expect_failures = [var.network]
}

run "a_subnet_outside_the_vpc_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { zones = merge(var.network.zones, {
      us-east-1a = merge(var.network.zones.us-east-1a, { intra = "10.1.49.0/28" })
    }) })
  }
  expect_failures = [var.network]
}

run "a_subnet_inside_another_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { zones = merge(var.network.zones, {
      us-east-1a = merge(var.network.zones.us-east-1a, { intra = "10.0.16.0/28" })
    }) })
  }
  expect_failures = [var.network]
}

run "the_same_subnet_twice_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { zones = merge(var.network.zones, { us-east-1a = var.network.zones.us-east-1b }) })
  }
  expect_failures = [var.network]
}

run "an_unknown_number_of_nat_gateways_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { nat_gateways = "none" })
  }
  expect_failures = [var.network]
}

run "an_unknown_placement_of_endpoints_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { interface_endpoints = { placement = "none" } })
  }
  expect_failures = [var.network]
}

run "an_unknown_endpoint_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { interface_endpoints = { placement = "single", services = ["s4"] } })
  }
  expect_failures = [var.network]
}

run "a_retention_that_cloudwatch_lacks_is_refused" {
  command = plan
  variables {
    network = merge(var.network, { flow_log_days = 31 })
  }
  expect_failures = [var.network]
}

run "a_protected_environment_is_warned_of_a_single_nat_gateway" {
  command = plan
  variables {
    environment = merge(var.environment, { protected = true })
    agents      = merge(var.agents, { sign_in = { required = true } })
    data        = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } } })
    cluster     = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 3, maximum = 3 }) })
  }
  expect_failures = [check.one_zone_can_fail]
}
