# Which addons sections are refused.

run "local_has_no_addons" {
  command = plan
  variables {
    environment   = merge(var.environment, { name = "local", account_id = null, region = null })
    capacity      = null
    network       = null
    access        = null
    cluster       = null
    observability = null
    data          = null
    edge          = null
    operations    = null
  }
  expect_failures = [var.addons, var.laptop, var.models]
}

run "aws_needs_addons" {
  command = plan
  variables {
    addons = null
  }
  expect_failures = [var.addons]
}

run "everything_is_off_by_default" {
  command = plan
  variables {
    addons = {}
  }
  assert {
    condition     = !var.addons.keda && !var.addons.external_dns && var.addons.langfuse == null && var.addons.deadline_factor == 1
    error_message = "A default is not what the reference page says."
  }
}

run "records_need_a_domain" {
  command = plan
  variables {
    edge = merge(var.edge, { domain = null, sign_in = null })
  }
  expect_failures = [var.addons]
}

run "a_deadline_may_not_shrink" {
  command = plan
  variables {
    addons = { deadline_factor = 0.5 }
  }
  expect_failures = [var.addons]
}

run "langfuse_is_self_hosted_or_elsewhere" {
  command = plan
  variables {
    addons = { langfuse = { mode = "hosted" } }
  }
  expect_failures = [var.addons]
}

run "self_hosted_langfuse_needs_its_databases" {
  command = plan
  variables {
    addons = { langfuse = { mode = "self_hosted", clickhouse = { replicas = 1, volume_gib = 10 } } }
  }
  expect_failures = [var.addons]
}

run "self_hosted_langfuse_needs_a_number_of_replicas_that_has_a_majority" {
  command = plan
  variables {
    data = merge(var.data, {
      secrets  = { for name in ["clickhouse-password", "encryption-key", "owner-password", "salt", "secret-key", "session-secret", "valkey-password"] : "langfuse-${name}" => { origin = "generated" } }
      postgres = { langfuse = { major_version = "17", instance_class = "db.t4g.micro", storage_gib = 20, multi_zone = false } }
      valkey   = { langfuse = { engine_version = "8.0", node_type = "cache.t4g.micro", nodes = 1 } }
    })
    addons = { langfuse = { mode = "self_hosted", clickhouse = { replicas = 2, volume_gib = 10 } } }
  }
  expect_failures = [var.addons]
}

run "self_hosted_langfuse_is_accepted" {
  command = plan
  variables {
    data = merge(var.data, {
      secrets  = { for name in ["clickhouse-password", "encryption-key", "owner-password", "salt", "secret-key", "session-secret", "valkey-password"] : "langfuse-${name}" => { origin = "generated" } }
      postgres = { langfuse = { major_version = "17", instance_class = "db.t4g.micro", storage_gib = 20, multi_zone = false } }
      valkey   = { langfuse = { engine_version = "8.0", node_type = "cache.t4g.micro", nodes = 1 } }
    })
    addons = { langfuse = { mode = "self_hosted", clickhouse = { replicas = 3, volume_gib = 10 } } }
  }
  assert {
    condition     = var.addons.langfuse.mode == "self_hosted"
    error_message = "The section is not the one that was given."
  }
}

run "what_langfuse_takes_once_is_never_renewed" {
  command = plan
  variables {
    data = merge(var.data, {
      secrets  = merge({ for name in ["clickhouse-password", "encryption-key", "owner-password", "salt", "secret-key", "session-secret", "valkey-password"] : "langfuse-${name}" => { origin = "generated" } }, { langfuse-salt = { origin = "generated", rotation_days = 90 } })
      postgres = { langfuse = { major_version = "17", instance_class = "db.t4g.micro", storage_gib = 20, multi_zone = false } }
      valkey   = { langfuse = { engine_version = "8.0", node_type = "cache.t4g.micro", nodes = 1 } }
    })
    addons = { langfuse = { mode = "self_hosted", clickhouse = { replicas = 3, volume_gib = 10 } } }
  }
  expect_failures = [var.addons]
}

run "langfuse_cloud_needs_the_key_of_a_person" {
  command = plan
  variables {
    addons = { langfuse = { mode = "cloud", host = "https://cloud.langfuse.com", public_key = "pk-lf-1" } }
  }
  expect_failures = [var.addons]
}
