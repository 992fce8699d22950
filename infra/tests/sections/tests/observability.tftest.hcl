# Which observability sections are refused.

run "local_has_no_observability" {
  command = plan
  variables {
    environment = merge(var.environment, { name = "local", account_id = null, region = null })
    addons      = null
    capacity    = null
    network     = null
    access      = null
    cluster     = null
    data        = null
    edge        = null
    operations  = null
  }
  expect_failures = [var.observability, var.laptop, var.models]
}

run "an_aws_environment_without_the_section_is_refused" {
  command = plan
  variables {
    observability = null
  }
  expect_failures = [var.observability]
}

run "a_retention_that_cloudwatch_does_not_have_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, { log_days = 31 })
  }
  expect_failures = [var.observability]
}

run "a_retention_of_pods_that_cloudwatch_does_not_have_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, { pod_logs = { agents = 31 } })
  }
  expect_failures = [var.observability]
}

run "logs_of_what_is_no_namespace_are_refused" {
  command = plan
  variables {
    observability = merge(var.observability, { pod_logs = { Agents = 30 } })
  }
  expect_failures = [var.observability]
}

run "metrics_kept_too_long_are_refused" {
  command = plan
  variables {
    observability = merge(var.observability, { metrics = { retention_days = 1096, scrape_seconds = 30 } })
  }
  expect_failures = [var.observability]
}

run "collecting_more_often_than_possible_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, { metrics = { retention_days = 30, scrape_seconds = 29 } })
  }
  expect_failures = [var.observability]
}

run "an_alert_to_nobody_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, { alerts = { emails = [] } })
  }
  expect_failures = [var.observability]
}

run "an_alert_to_no_address_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, { alerts = { emails = ["on-call"] } })
  }
  expect_failures = [var.observability]
}

run "an_unknown_grafana_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, {
      grafana = { version = "8.4", allowed_cidrs = ["203.0.113.0/24"], admins = ["11111111-2222-3333-4444-555555555555"] }
    })
  }
  expect_failures = [var.observability]
}

run "a_grafana_open_to_everybody_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, {
      grafana = { version = "10.4", allowed_cidrs = ["0.0.0.0/0"], admins = ["11111111-2222-3333-4444-555555555555"] }
    })
  }
  expect_failures = [var.observability]
}

run "a_grafana_without_administrators_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, { grafana = { version = "10.4", allowed_cidrs = ["203.0.113.0/24"], admins = [] } })
  }
  expect_failures = [var.observability]
}

run "a_group_by_name_is_refused" {
  command = plan
  variables {
    observability = merge(var.observability, {
      grafana = {
        version       = "10.4"
        allowed_cidrs = ["203.0.113.0/24"]
        admins        = ["11111111-2222-3333-4444-555555555555"]
        viewers       = ["everybody"]
      }
    })
  }
  expect_failures = [var.observability]
}

run "a_protected_environment_is_warned_that_nobody_is_told" {
  command = plan
  variables {
    environment   = merge(var.environment, { protected = true })
    agents        = merge(var.agents, { sign_in = { required = true } })
    data          = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } } })
    network       = merge(var.network, { nat_gateways = "per_zone" })
    cluster       = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 3, maximum = 3 }) })
    observability = merge(var.observability, { alerts = null })
  }
  expect_failures = [check.somebody_is_told]
}
