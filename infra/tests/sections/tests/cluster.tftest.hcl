# Which cluster sections are refused.

run "local_has_no_cluster" {
  command = plan
  variables {
    environment   = merge(var.environment, { name = "local", account_id = null, region = null })
    addons        = null
    capacity      = null
    network       = null
    access        = null
    observability = null
    data          = null
    edge          = null
    operations    = null
  }
  expect_failures = [var.cluster, var.laptop, var.models]
}

run "aws_needs_a_cluster" {
  command = plan
  variables {
    cluster = null
  }
  expect_failures = [var.cluster]
}

run "an_unknown_kubernetes_minor_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { kubernetes_version = "1.20" })
  }
  expect_failures = [var.cluster]
}

run "an_unknown_addon_version_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { addon_versions = { coredns = "v9.9.9-eksbuild.1" } })
  }
  expect_failures = [var.cluster]
}

run "an_unknown_addon_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { addon_versions = { core-dns = "v1.13.2-eksbuild.31" } })
  }
  expect_failures = [var.cluster]
}

run "a_public_service_range_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { service_cidr = "8.8.0.0/16" })
  }
  expect_failures = [var.cluster]
}

run "a_service_range_inside_the_vpc_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { service_cidr = "10.0.32.0/20" })
  }
  expect_failures = [var.cluster]
}

run "a_service_range_around_the_vpc_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { service_cidr = "10.0.0.0/12" })
  }
  expect_failures = [var.cluster]
}

run "a_caller_that_is_no_range_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { public_access_cidrs = ["203.0.113.7"] })
  }
  expect_failures = [var.cluster]
}

run "the_api_of_prod_is_never_open_to_everybody" {
  command = plan
  variables {
    knowledge   = merge(var.knowledge, { sources = [{ name = "documents", uri = "s3://agentic-eks-prod-knowledge-111122223333/documents" }] })
    environment = merge(var.environment, { name = "prod" })
    cluster     = merge(var.cluster, { public_access_cidrs = ["0.0.0.0/0"] })
  }
  expect_failures = [var.cluster]
}

run "the_api_of_a_protected_environment_is_never_open_to_everybody" {
  command = plan
  variables {
    environment = merge(var.environment, { protected = true })
    agents      = merge(var.agents, { sign_in = { required = true } })
    data        = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } } })
    network     = merge(var.network, { nat_gateways = "per_zone" })
    cluster     = merge(var.cluster, { public_access_cidrs = ["198.51.100.0/24", "0.0.0.0/0"], system_nodes = merge(var.cluster.system_nodes, { minimum = 3, maximum = 3 }) })
  }
  expect_failures = [var.cluster]
}

run "elsewhere_an_open_api_is_warned_of" {
  command = plan
  variables {
    cluster = merge(var.cluster, { public_access_cidrs = ["0.0.0.0/0"] })
  }
  expect_failures = [check.the_api_is_not_open_to_everybody]
}

run "a_retention_that_cloudwatch_lacks_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { log_days = 2 })
  }
  expect_failures = [var.cluster]
}

run "an_intel_instance_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { instance_types = ["m7g.large", "m7i.large"] }) })
  }
  expect_failures = [var.cluster]
}

run "a_gpu_instance_whose_family_has_a_g_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { instance_types = ["g4dn.xlarge"] }) })
  }
  expect_failures = [var.cluster]
}

run "no_instance_type_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { instance_types = [] }) })
  }
  expect_failures = [var.cluster]
}

run "a_single_system_node_is_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 1 }) })
  }
  expect_failures = [var.cluster]
}

run "fewer_nodes_at_most_than_at_least_are_refused" {
  command = plan
  variables {
    cluster = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 3 }) })
  }
  expect_failures = [var.cluster]
}

run "a_protected_environment_is_warned_of_a_zone_without_a_system_node" {
  command = plan
  variables {
    environment = merge(var.environment, { protected = true })
    agents      = merge(var.agents, { sign_in = { required = true } })
    data        = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } } })
    network     = merge(var.network, { nat_gateways = "per_zone" })
  }
  expect_failures = [check.a_system_node_in_every_zone]
}
