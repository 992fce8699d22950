# Which edge sections are refused.

run "local_has_no_edge" {
  command = plan
  variables {
    environment   = merge(var.environment, { name = "local", account_id = null, region = null })
    addons        = null
    capacity      = null
    network       = null
    access        = null
    cluster       = null
    observability = null
    data          = null
    operations    = null
  }
  expect_failures = [var.edge, var.laptop, var.models]
}

run "an_aws_environment_without_an_edge_is_refused" {
  command = plan
  variables {
    edge = null
  }
  expect_failures = [var.edge]
}

run "a_url_for_a_name_is_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { domain = { name = "https://assistant.example.com" } })
  }
  expect_failures = [var.edge]
}

run "a_name_for_a_zone_is_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { domain = { name = "assistant.example.com", zone_id = "example.com" } })
  }
  expect_failures = [var.edge]
}

run "access_logs_that_go_at_once_are_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { access_log_days = 0 })
  }
  expect_failures = [var.edge]
}

run "fewer_requests_than_the_firewall_can_count_are_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { firewall = { requests_per_5_minutes = 9, largest_request_bytes = 256 } })
  }
  expect_failures = [var.edge]
}

run "requests_smaller_than_a_question_are_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { firewall = { requests_per_5_minutes = 10, largest_request_bytes = 255 } })
  }
  expect_failures = [var.edge]
}

run "a_rule_by_no_name_is_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { firewall = { requests_per_5_minutes = 10, largest_request_bytes = 256, count_only = ["all"] } })
  }
  expect_failures = [var.edge]
}

run "the_rule_that_always_counts_is_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { firewall = { requests_per_5_minutes = 10, largest_request_bytes = 256, count_only = ["SizeRestrictions_BODY"] } })
  }
  expect_failures = [var.edge]
}

run "an_unknown_sign_in_is_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "ldap" } })
  }
  expect_failures = [var.edge]
}

run "cognito_without_a_second_factor_setting_is_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "cognito" } })
  }
  expect_failures = [var.edge]
}

run "cognito_without_a_name_is_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { domain = null, sign_in = { kind = "cognito", mfa = "optional" } })
  }
  expect_failures = [var.edge]
}

run "cognito_with_an_issuer_is_refused" {
  command = plan
  variables {
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "cognito", mfa = "optional", issuer = "https://id.example.com" } })
  }
  expect_failures = [var.edge]
}

run "a_provider_without_its_secret_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { sign-in = { origin = "person" }, made = { origin = "generated" } } })
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "oidc", issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "the-load-balancer" } })
  }
  expect_failures = [var.edge]
}

run "a_provider_without_the_client_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { sign-in = { origin = "person" }, made = { origin = "generated" } } })
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "oidc", issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_secret = "sign-in" } })
  }
  expect_failures = [var.edge]
}

run "a_provider_by_plain_http_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { sign-in = { origin = "person" }, made = { origin = "generated" } } })
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "oidc", issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "http://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "the-load-balancer", client_secret = "sign-in" } })
  }
  expect_failures = [var.edge]
}

run "a_second_factor_of_a_provider_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { sign-in = { origin = "person" }, made = { origin = "generated" } } })
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "oidc", issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "the-load-balancer", client_secret = "sign-in", mfa = "required" } })
  }
  expect_failures = [var.edge]
}

run "a_secret_that_is_not_there_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { sign-in = { origin = "person" }, made = { origin = "generated" } } })
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "oidc", issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "the-load-balancer", client_secret = "absent" } })
  }
  expect_failures = [var.edge]
}

run "a_generated_secret_of_a_provider_is_refused" {
  command = plan
  variables {
    data = merge(var.data, { secrets = { sign-in = { origin = "person" }, made = { origin = "generated" } } })
    edge = merge(var.edge, { domain = { name = "assistant.example.com" }, sign_in = { kind = "oidc", issuer = "https://id.example.com", authorization_endpoint = "https://id.example.com/a", token_endpoint = "https://id.example.com/t", user_info_endpoint = "https://id.example.com/u", client_id = "the-load-balancer", client_secret = "made" } })
  }
  expect_failures = [var.edge]
}

run "a_protected_environment_is_warned_that_nobody_signs_in" {
  command = plan
  variables {
    environment = merge(var.environment, { protected = true })
    agents      = merge(var.agents, { sign_in = { required = true } })
    data        = merge(var.data, { postgres = { agents = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } } })
    network     = merge(var.network, { nat_gateways = "per_zone" })
    cluster     = merge(var.cluster, { system_nodes = merge(var.cluster.system_nodes, { minimum = 3, maximum = 3 }) })
    edge        = merge(var.edge, { sign_in = null })
  }
  expect_failures = [check.somebody_signs_in]
}
