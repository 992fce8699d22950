# Which access sections are refused.

run "local_has_no_access" {
  command = plan
  variables {
    environment   = merge(var.environment, { name = "local", account_id = null, region = null })
    addons        = null
    capacity      = null
    network       = null
    cluster       = null
    observability = null
    data          = null
    edge          = null
    operations    = null
  }
  expect_failures = [var.access, var.laptop, var.models]
}

run "aws_needs_access" {
  command = plan
  variables {
    access = null
  }
  expect_failures = [var.access]
}

run "a_role_with_no_principal_is_refused" {
  command = plan
  variables {
    access = merge(var.access, { roles = merge(var.access.roles, { editor = { principals = [] } }) })
  }
  expect_failures = [var.access]
}

run "everybody_as_principal_is_refused" {
  command = plan
  variables {
    access = merge(var.access, { roles = merge(var.access.roles, { reader = { principals = ["*"] } }) })
  }
  expect_failures = [var.access]
}

run "a_principal_with_a_wildcard_is_refused" {
  command = plan
  variables {
    access = merge(var.access, { roles = merge(var.access.roles, { reader = { principals = ["arn:aws:iam::111122223333:role/*"] } }) })
  }
  expect_failures = [var.access]
}

run "a_namespace_that_is_none_is_refused" {
  command = plan
  variables {
    access = merge(var.access, { roles = merge(var.access.roles, {
      admin = { principals = ["arn:aws:iam::111122223333:role/leads"], namespaces = ["Agents"] }
    }) })
  }
  expect_failures = [var.access]
}

run "a_session_of_a_day_is_refused" {
  command = plan
  variables {
    access = merge(var.access, { roles = merge(var.access.roles, {
      cluster_admin = { principals = ["arn:aws:iam::111122223333:role/platform"], session_hours = 24 }
    }) })
  }
  expect_failures = [var.access]
}

run "a_repository_without_an_owner_is_refused" {
  command = plan
  variables {
    access = merge(var.access, { ci = { repository = "agentic-eks", subjects = ["environment:dev"] } })
  }
  expect_failures = [var.access]
}

run "workflows_of_every_branch_are_refused" {
  command = plan
  variables {
    access = merge(var.access, { ci = { repository = "owner/name", subjects = ["ref:refs/heads/*"] } })
  }
  expect_failures = [var.access]
}

run "pull_requests_are_refused" {
  command = plan
  variables {
    access = merge(var.access, { ci = { repository = "owner/name", subjects = ["pull_request"] } })
  }
  expect_failures = [var.access]
}

run "ci_without_a_subject_is_refused" {
  command = plan
  variables {
    access = merge(var.access, { ci = { repository = "owner/name", subjects = [] } })
  }
  expect_failures = [var.access]
}
