# Which operations sections are refused.

run "local_has_no_operations" {
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
    edge          = null
  }
  expect_failures = [var.operations, var.laptop, var.models]
}

run "an_aws_environment_without_the_section_is_refused" {
  command = plan
  variables {
    operations = null
  }
  expect_failures = [var.operations]
}

run "nothing_need_start_by_itself" {
  command = plan
  variables {
    operations = { schedules = {} }
  }

  assert {
    condition     = var.operations.schedules.drift == null && var.operations.schedules.secrets == null
    error_message = "Both schedules must be optional."
  }
}

run "a_cron_line_of_four_fields_is_refused" {
  command = plan
  variables {
    operations = { schedules = { drift = { cron = "0 5 * *", timezone = "UTC" } } }
  }
  expect_failures = [var.operations]
}

run "an_empty_cron_line_is_refused" {
  command = plan
  variables {
    operations = { schedules = { secrets = { cron = "", timezone = "UTC" } } }
  }
  expect_failures = [var.operations]
}
