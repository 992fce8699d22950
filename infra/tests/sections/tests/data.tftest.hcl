# Which data sections are refused.

run "local_has_no_data" {
  command = plan
  variables {
    environment   = merge(var.environment, { name = "local", account_id = null, region = null })
    addons        = null
    capacity      = null
    network       = null
    access        = null
    cluster       = null
    observability = null
    edge          = null
    operations    = null
  }
  expect_failures = [var.data, var.laptop, var.models]
}

run "an_aws_environment_without_data_is_refused" {
  command = plan
  variables {
    data = null
  }
  expect_failures = [var.data]
}

run "documents_that_go_at_once_are_refused" {
  command = plan
  variables {
    data = merge(var.data, { buckets = { noncurrent_days = 0, result_days = 1 } })
  }
  expect_failures = [var.data]
}

run "the_same_repository_twice_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { images = { repositories = ["agents", "agents"], kept = 1, pull_through = {} } })
  }
  expect_failures = [var.data]
}

run "a_repository_in_capitals_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { images = { repositories = ["Agents"], kept = 1, pull_through = {} } })
  }
  expect_failures = [var.data]
}

run "keeping_no_image_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { images = { repositories = ["agents"], kept = 0, pull_through = {} } })
  }
  expect_failures = [var.data]
}

run "an_unknown_registry_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { images = { repositories = ["agents"], kept = 1, pull_through = { other = { registry = "registry.example.com" } } } })
  }
  expect_failures = [var.data]
}

run "a_registry_without_its_credentials_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { images = { repositories = ["agents"], kept = 1, pull_through = { hub = { registry = "registry-1.docker.io" } } } })
  }
  expect_failures = [var.data]
}

run "a_registry_with_another_secret_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { images = { repositories = ["agents"], kept = 1, pull_through = { hub = { registry = "registry-1.docker.io", credentials_secret = "hub" } } } })
  }
  expect_failures = [var.data]
}

run "credentials_that_nobody_wants_are_refused" {
  command = plan
  variables {
    data = merge(var.data, { images = { repositories = ["agents"], kept = 1, pull_through = { quay = { registry = "quay.io", credentials_secret = "ecr-pullthroughcache/quay" } } } })
  }
  expect_failures = [var.data]
}

run "a_version_without_its_engine_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { search = { engine_version = "3.3", instance_type = "m7g.medium.search", instance_count = 3, volume_gib = 10 } })
  }
  expect_failures = [var.data]
}

run "search_on_x86_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { search = { engine_version = "OpenSearch_3.3", instance_type = "m7i.large.search", instance_count = 3, volume_gib = 10 } })
  }
  expect_failures = [var.data]
}

run "masters_on_x86_are_refused" {
  command = plan
  variables {
    data = merge(var.data, { search = { engine_version = "OpenSearch_3.3", instance_type = "m7g.medium.search", instance_count = 3, volume_gib = 10, dedicated_masters = { instance_type = "m5.large.search" } } })
  }
  expect_failures = [var.data]
}

run "zones_of_unequal_size_are_refused" {
  command = plan
  variables {
    data = merge(var.data, { search = { engine_version = "OpenSearch_3.3", instance_type = "m7g.medium.search", instance_count = 4, volume_gib = 10 } })
  }
  expect_failures = [var.data]
}

run "too_small_a_volume_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { search = { engine_version = "OpenSearch_3.3", instance_type = "m7g.medium.search", instance_count = 3, volume_gib = 9 } })
  }
  expect_failures = [var.data]
}

run "a_secret_of_unknown_origin_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { key = { origin = "found" } } })
  }
  expect_failures = [var.data]
}

run "a_secret_of_a_person_that_rotates_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { key = { origin = "person", rotation_days = 30 } } })
  }
  expect_failures = [var.data]
}

run "a_secret_that_always_rotates_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { key = { origin = "generated", rotation_days = 0 } } })
  }
  expect_failures = [var.data]
}

run "a_secret_in_capitals_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { KEY = { origin = "generated" } } })
  }
  expect_failures = [var.data]
}

run "a_database_of_a_stranger_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { postgres = { strangers = { major_version = "17", instance_class = "db.t4g.micro", storage_gib = 20, multi_zone = false } } })
  }
  expect_failures = [var.data]
}

run "a_cache_of_a_stranger_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { valkey = { strangers = { engine_version = "8.0", node_type = "cache.t4g.micro", nodes = 1 } } })
  }
  expect_failures = [var.data]
}

run "a_database_on_x86_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7i.large", storage_gib = 20, multi_zone = false } } })
  }
  expect_failures = [var.data]
}

run "a_minor_version_of_a_database_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { postgres = { agents = { major_version = "17.2", instance_class = "db.t4g.micro", storage_gib = 20, multi_zone = false } } })
  }
  expect_failures = [var.data]
}

run "too_small_a_database_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.t4g.micro", storage_gib = 19, multi_zone = false } } })
  }
  expect_failures = [var.data]
}

run "a_cache_on_x86_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { valkey = { agents = { engine_version = "8.0", node_type = "cache.m5.large", nodes = 1 } } })
  }
  expect_failures = [var.data]
}

run "a_cache_of_another_engine_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { valkey = { agents = { engine_version = "6.2", node_type = "cache.t4g.micro", nodes = 1 } } })
  }
  expect_failures = [var.data]
}

run "a_cache_without_nodes_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { valkey = { agents = { engine_version = "8.0", node_type = "cache.t4g.micro", nodes = 0 } } })
  }
  expect_failures = [var.data]
}

run "more_days_than_a_second_can_be_found_in_are_refused" {
  command = plan
  variables {
    data = merge(var.data, { backup = { point_in_time_days = 36, snapshot_days = 14, start_hour = 3 } })
  }
  expect_failures = [var.data]
}

run "an_hour_that_never_comes_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { backup = { point_in_time_days = 7, snapshot_days = 14, start_hour = 24 } })
  }
  expect_failures = [var.data]
}

run "a_drill_of_a_database_that_is_not_there_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { backup = { point_in_time_days = 7, snapshot_days = 14, start_hour = 3, database_drill = {} } })
  }
  expect_failures = [var.data]
}

run "a_protected_environment_without_backups_is_refused" {
  command = plan
  variables {
    environment = merge(var.environment, { protected = true })
    agents      = merge(var.agents, { sign_in = { required = true } })
    network     = merge(var.network, { nat_gateways = "per_zone" })
    cluster     = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 3, maximum = 3 }) })
    data        = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } }, backup = null })
  }
  expect_failures = [var.data]
}

run "a_protected_environment_is_warned_of_data_in_one_zone" {
  command = plan
  variables {
    environment = merge(var.environment, { protected = true })
    agents      = merge(var.agents, { sign_in = { required = true } })
    network     = merge(var.network, { nat_gateways = "per_zone" })
    cluster     = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 3, maximum = 3 }) })
    data        = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = false } } })
  }
  expect_failures = [check.a_zone_of_data_can_fail]
}

run "a_protected_environment_is_warned_of_a_single_cache" {
  command = plan
  variables {
    environment = merge(var.environment, { protected = true })
    agents      = merge(var.agents, { sign_in = { required = true } })
    network     = merge(var.network, { nat_gateways = "per_zone" })
    cluster     = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 3, maximum = 3 }) })
    data        = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } }, valkey = { agents = { engine_version = "8.0", node_type = "cache.m7g.large", nodes = 1 } } })
  }
  expect_failures = [check.a_zone_of_data_can_fail]
}

run "a_protected_environment_is_warned_of_search_without_masters" {
  command = plan
  variables {
    environment = merge(var.environment, { protected = true })
    agents      = merge(var.agents, { sign_in = { required = true } })
    network     = merge(var.network, { nat_gateways = "per_zone" })
    cluster     = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 3, maximum = 3 }) })
    data        = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } }, search = merge(var.data.search, { dedicated_masters = null }) })
  }
  expect_failures = [check.a_zone_of_data_can_fail]
}

run "documents_elsewhere_are_warned_of" {
  command = plan
  variables {
    knowledge = merge(var.knowledge, { sources = [{ name = "documents", uri = "s3://elsewhere/documents" }] })
  }
  expect_failures = [check.documents_lie_in_the_knowledge_bucket]
}
