# What an environment file is refused for. This directory declares the sections and nothing else, so that no provider is needed;
# terraform.tfvars is what every run starts from, and changes one thing of.

run "the_least_is_accepted" {
  command = plan

  assert {
    condition     = var.models.catalogue["text"].replicas == 1 && var.knowledge.sources[0].include == tolist(["**/*"])
    error_message = "Optional keys must have their defaults."
  }
}

run "an_unknown_environment_and_a_malformed_account_are_refused" {
  command = plan
  variables {
    environment = {
      name       = "staging"
      account_id = "1234"
      region     = "us-east-1"
      protected  = false
      budget     = { monthly_usd = -1 }
      prefect    = { api_url = "prefect.example.com", work_pools = { management = "management", cluster = "cluster" } }
    }
  }
  expect_failures = [var.environment]
}

run "an_aws_environment_has_no_laptop" {
  command = plan
  variables {
    laptop = {
      data_directory  = ".state"
      listen_host     = "127.0.0.1"
      ports           = { prefect = 4200, gateway = 4000, embedding = 4001, chat = 4002, agents = 8080, web_search = 8090 }
      when_port_taken = "refuse"
    }
  }
  expect_failures = [var.laptop]
}

run "a_model_without_its_origin_is_refused" {
  command = plan
  variables {
    models = {
      catalogue = {
        vectors = { runs_on = "kuberay", context_tokens = 512, dimension = 384, bedrock_id = "not-an-origin-of-kuberay" }
      }
      chat      = "vectors"
      reasoning = "vectors"
      embedding = "vectors"
    }
  }
  expect_failures = [var.models]
}

run "a_laptop_process_is_refused_on_aws" {
  command = plan
  variables {
    models = {
      catalogue = {
        vectors = {
          runs_on        = "process"
          context_tokens = 512
          dimension      = 384
          packaged       = { package = "p", build = "copy", sha256 = "0", source_sha256 = "0" }
        }
      }
      chat      = "vectors"
      reasoning = "vectors"
      embedding = "vectors"
    }
  }
  expect_failures = [var.models]
}

run "a_role_that_names_no_model_is_refused" {
  command = plan
  variables {
    models = {
      catalogue = {
        vectors = {
          runs_on        = "gpu"
          context_tokens = 512
          dimension      = 384
          weights        = { repository = "owner/name", revision = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf", licence = "mit" }
          serving        = { accelerators = 1, cpus = 1, memory_gib = 1 }
        }
      }
      chat      = "absent"
      reasoning = "vectors"
      embedding = "vectors"
    }
  }
  expect_failures = [var.models]
}

run "a_former_embedding_model_that_is_the_present_one_is_refused" {
  command = plan
  variables {
    models = {
      catalogue = {
        vectors = {
          runs_on        = "gpu"
          context_tokens = 512
          dimension      = 384
          weights        = { repository = "owner/name", revision = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf", licence = "mit" }
          serving        = { accelerators = 1, cpus = 1, memory_gib = 1 }
        }
      }
      chat             = "vectors"
      reasoning        = "vectors"
      embedding        = "vectors"
      former_embedding = "vectors"
    }
  }
  expect_failures = [var.models]
}

run "the_embedded_store_is_refused_on_aws" {
  command = plan
  variables {
    knowledge = {
      sources           = [{ name = "documents", uri = "s3://bucket/prefix" }]
      chunks            = { tokens = 32, overlap_tokens = 16 }
      store             = { engine = "lancedb", directory = "knowledge" }
      fusion            = { method = "rrf", dense_weight = 1, candidates = 1 }
      generations_kept  = 1
      max_document_mib  = 1
      embedding_workers = 1
    }
  }
  expect_failures = [var.knowledge]
}

run "a_directory_is_not_for_opensearch" {
  command = plan
  variables {
    knowledge = {
      sources           = [{ name = "documents", uri = "s3://bucket/prefix" }]
      chunks            = { tokens = 32, overlap_tokens = 16 }
      store             = { engine = "opensearch", index_prefix = "dev", directory = "knowledge" }
      fusion            = { method = "rrf", dense_weight = 1, candidates = 1 }
      generations_kept  = 1
      max_document_mib  = 1
      embedding_workers = 1
    }
  }
  expect_failures = [var.knowledge]
}

run "a_fusion_weight_above_one_is_refused" {
  command = plan
  variables {
    knowledge = {
      sources           = [{ name = "documents", uri = "s3://bucket/prefix" }]
      chunks            = { tokens = 32, overlap_tokens = 16 }
      store             = { engine = "opensearch", index_prefix = "dev" }
      fusion            = { method = "min_max", dense_weight = 1.1, candidates = 1 }
      generations_kept  = 1
      max_document_mib  = 1
      embedding_workers = 1
    }
  }
  expect_failures = [var.knowledge]
}

run "a_threshold_above_one_is_refused" {
  command = plan
  variables {
    evaluation = {
      dataset              = "golden/questions.jsonl"
      metrics              = ["mrr"]
      thresholds           = { mrr = 1.1 }
      answers_in_lifecycle = 0
    }
  }
  expect_failures = [var.evaluation]
}

run "a_threshold_of_an_unmeasured_metric_is_refused" {
  command = plan
  variables {
    evaluation = {
      dataset              = "golden/questions.jsonl"
      metrics              = ["mrr"]
      thresholds           = { recall_at_5 = 0.9 }
      answers_in_lifecycle = 0
    }
  }
  expect_failures = [var.evaluation]
}

run "a_judge_beyond_its_bounds_is_refused" {
  command = plan
  variables {
    evaluation = {
      dataset              = "golden/questions.jsonl"
      metrics              = ["mrr"]
      thresholds           = {}
      answers_in_lifecycle = 0
      judge_kappa          = 1.1
    }
  }
  expect_failures = [var.evaluation]
}

run "a_threshold_of_traces_that_needs_a_reference_is_refused" {
  command = plan
  variables {
    evaluation = {
      dataset              = "golden/questions.jsonl"
      metrics              = ["mrr"]
      thresholds           = {}
      answers_in_lifecycle = 0
      traces               = { sample = 50, thresholds = { mrr = 0.5 } }
    }
  }
  expect_failures = [var.evaluation]
}

run "agent_limits_out_of_range_are_refused" {
  command = plan
  variables {
    agents = {
      relevancy_threshold    = -0.1
      groundedness_threshold = 1
      passages               = 51
      answer_tokens          = 15
      answer_seconds         = 0
      question_bytes         = 255
    }
  }
  expect_failures = [var.agents]
}

run "web_search_without_a_secret_is_refused_on_aws" {
  command = plan
  variables {
    agents = merge(var.agents, { web_search = { key_variable = "TAVILY_API_KEY" } })
  }
  expect_failures = [var.laptop]
}

run "web_search_with_a_secret_of_nobody_is_refused" {
  command = plan
  variables {
    agents = merge(var.agents, { web_search = { key_secret = "absent" } })
  }
  expect_failures = [var.data]
}

run "names_that_no_prefect_variable_can_have_are_refused" {
  command = plan
  variables {
    environment = merge(var.environment, { prefect = merge(var.environment.prefect, { variables = { "On Call" = "platform" } }) })
  }
  expect_failures = [var.environment]
}

run "credentials_for_prefect_that_no_person_supplies_are_refused" {
  command = plan
  variables {
    agents = merge(var.agents, { freshness = {
      objective_hours = 30, window_minutes = 60, prefect_credentials = { kind = "api_key", secret = "prefect-api-key" }
    } })
    data = merge(var.data, { secrets = { prefect-api-key = { origin = "generated" } } })
  }
  expect_failures = [var.data]
}

run "credentials_for_prefect_of_another_kind_are_refused" {
  command = plan
  variables {
    agents = merge(var.agents, { freshness = {
      objective_hours = 30, window_minutes = 60, prefect_credentials = { kind = "password", secret = "prefect-api-key" }
    } })
    data = merge(var.data, { secrets = { prefect-api-key = { origin = "person" } } })
  }
  expect_failures = [var.agents]
}

run "credentials_of_the_worker_that_no_person_supplies_are_refused" {
  command = plan
  variables {
    environment = merge(var.environment, { prefect = merge(var.environment.prefect, {
      credentials = { kind = "auth_string", secret = "prefect-auth" }
    }) })
    data = merge(var.data, { secrets = { prefect-auth = { origin = "generated" } } })
  }
  expect_failures = [var.data]
}

run "credentials_of_the_worker_of_another_kind_are_refused" {
  command = plan
  variables {
    environment = merge(var.environment, { prefect = merge(var.environment.prefect, {
      credentials = { kind = "password", secret = "prefect-auth" }
    }) })
    data = merge(var.data, { secrets = { prefect-auth = { origin = "person" } } })
  }
  expect_failures = [var.environment]
}

run "credentials_of_the_worker_are_accepted" {
  command = plan
  variables {
    environment = merge(var.environment, { prefect = merge(var.environment.prefect, {
      credentials = { kind = "auth_string", secret = "prefect-auth" }
    }) })
    data = merge(var.data, { secrets = { prefect-auth = { origin = "person" } } })
  }
  assert {
    condition     = var.environment.prefect.credentials.secret == "prefect-auth"
    error_message = "The secret must be taken as it is named."
  }
}

run "credentials_for_prefect_are_accepted" {
  command = plan
  variables {
    agents = merge(var.agents, { freshness = {
      objective_hours = 30, window_minutes = 60, prefect_credentials = { kind = "api_key", secret = "prefect-api-key" }
    } })
    data = merge(var.data, { secrets = { prefect-api-key = { origin = "person" } } })
  }
  assert {
    condition     = var.agents.freshness.prefect_credentials.secret == "prefect-api-key"
    error_message = "The secret must be taken as it is named."
  }
}

run "a_budget_of_the_gateway_for_no_known_time_is_refused" {
  command = plan
  variables {
    models = merge(var.models, { budgets = { agents = { usd = 10, every = "year" } } })
  }
  expect_failures = [var.models]
}

run "a_budget_of_the_gateway_for_one_client_is_accepted" {
  command = plan
  variables {
    models = merge(var.models, { budgets = { agents = { usd = 10, every = "day" } } })
  }
  assert {
    condition     = var.models.budgets.agents.usd == 10 && var.models.budgets.evaluation == null
    error_message = "The budget must be taken as it is written."
  }
}

run "web_search_beyond_its_limits_is_refused" {
  command = plan
  variables {
    agents = merge(var.agents, { web_search = { key_secret = "tavily-api-key", results = 21 } })
    data   = merge(var.data, { secrets = { tavily-api-key = { origin = "person" } } })
  }
  expect_failures = [var.agents]
}

run "web_search_with_a_secret_is_accepted" {
  command = plan
  variables {
    agents = merge(var.agents, { web_search = { key_secret = "tavily-api-key" } })
    data   = merge(var.data, { secrets = { tavily-api-key = { origin = "person" } } })
  }
  assert {
    condition     = var.agents.web_search.results == 5
    error_message = "Optional keys must have their defaults."
  }
}
