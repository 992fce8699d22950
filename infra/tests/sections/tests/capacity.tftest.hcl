# Which capacity sections are refused.

run "local_has_no_capacity" {
  command = plan
  variables {
    environment   = merge(var.environment, { name = "local", account_id = null, region = null })
    addons        = null
    network       = null
    access        = null
    cluster       = null
    observability = null
    data          = null
    edge          = null
    operations    = null
  }
  expect_failures = [var.capacity, var.laptop, var.models]
}

run "aws_needs_capacity" {
  command = plan
  variables {
    capacity = null
  }
  expect_failures = [var.capacity]
}

run "pools_of_every_kind_are_accepted" {
  command = plan
  variables {
    capacity = merge(var.capacity, { pools = merge(var.capacity.pools, {
      gpu    = { kind = "gpu", instance_families = ["g6", "g5"], capacity_types = ["spot", "on-demand"], limits = { vcpu = 4, memory_gib = 16, accelerators = 1 }, weight = 100 }
      neuron = { kind = "neuron", instance_families = ["inf2"], capacity_types = ["on-demand"], limits = { vcpu = 4, memory_gib = 16, accelerators = 1 }, quiet_hours = { cron = "0 8 * * mon-fri", hours = 24 } }
    }) })
  }

  assert {
    condition     = var.capacity.pools["gpu"].disk_gib == 100 && var.capacity.pools["neuron"].weight == 10
    error_message = "What a pool leaves out has a default."
  }
}

run "an_image_that_is_not_pinned_is_refused" {
  command = plan
  variables {
    capacity = merge(var.capacity, { images = { al2023 = "latest", bottlerocket = "v1.64.0" } })
  }
  expect_failures = [var.capacity]
}

run "no_pool_for_everything_else_is_refused" {
  command = plan
  variables {
    capacity = merge(var.capacity, { pools = {
      gpu = { kind = "gpu", instance_families = ["g6"], capacity_types = ["on-demand"], limits = { vcpu = 4, memory_gib = 16, accelerators = 1 } }
    } })
  }
  expect_failures = [var.capacity]
}

run "a_family_of_another_kind_is_refused" {
  command = plan
  variables {
    capacity = merge(var.capacity, { pools = merge(var.capacity.pools, {
      neuron = { kind = "neuron", instance_families = ["g6"], capacity_types = ["on-demand"], limits = { vcpu = 4, memory_gib = 16, accelerators = 1 } }
    }) })
  }
  expect_failures = [var.capacity]
}

run "an_unknown_family_is_refused" {
  command = plan
  variables {
    capacity = merge(var.capacity, { pools = {
      graviton = { kind = "graviton", instance_families = ["m5"], capacity_types = ["on-demand"], limits = { vcpu = 4, memory_gib = 16 } }
    } })
  }
  expect_failures = [var.capacity]
}

run "limits_below_the_smallest_instance_are_refused" {
  command = plan
  variables {
    capacity = merge(var.capacity, { pools = merge(var.capacity.pools, {
      gpu = { kind = "gpu", instance_families = ["g6"], capacity_types = ["on-demand"], limits = { vcpu = 3, memory_gib = 16, accelerators = 1 } }
    }) })
  }
  expect_failures = [var.capacity]
}

run "accelerators_without_a_limit_are_refused" {
  command = plan
  variables {
    capacity = merge(var.capacity, { pools = merge(var.capacity.pools, {
      gpu = { kind = "gpu", instance_families = ["g6"], capacity_types = ["on-demand"], limits = { vcpu = 4, memory_gib = 16 } }
    }) })
  }
  expect_failures = [var.capacity]
}

run "a_day_of_25_hours_is_refused" {
  command = plan
  variables {
    capacity = merge(var.capacity, { pools = {
      graviton = { kind = "graviton", instance_families = ["m7g"], capacity_types = ["on-demand"], limits = { vcpu = 1, memory_gib = 4 }, quiet_hours = { cron = "0 8 * * *", hours = 25 } }
    } })
  }
  expect_failures = [var.capacity]
}
