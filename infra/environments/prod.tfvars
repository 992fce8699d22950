# What people rely on: protected, replicated, with stricter gates than dev.

environment = {
  name       = "prod"
  account_id = "444455556666" # an example account of AWS's documentation: put your own
  region     = "us-east-1"
  protected  = true
  budget     = { monthly_usd = 12000 }
  prefect = {
    api_url       = "https://prefect.example.com/api"
    work_pools    = { management = "management", cluster = "prod-cluster" }
    notifications = "agentic-eks-notifications"
  }
}

network = {
  cidr = "10.44.0.0/16"
  zones = {
    us-east-1a = { public = "10.44.0.0/24", intra = "10.44.8.0/24", private = "10.44.64.0/18" }
    us-east-1b = { public = "10.44.1.0/24", intra = "10.44.9.0/24", private = "10.44.128.0/18" }
    us-east-1c = { public = "10.44.2.0/24", intra = "10.44.10.0/24", private = "10.44.192.0/18" }
  }
  nat_gateways        = "per_zone"
  interface_endpoints = { placement = "per_zone" }
  flow_log_days       = 365
}

access = {
  roles = { # your own roles, such as those of IAM Identity Center; the flows' worker needs cluster_admin
    cluster_admin = { principals = ["arn:aws:iam::444455556666:role/platform", "arn:aws:iam::444455556666:role/prefect-management"] }
    admin         = { principals = ["arn:aws:iam::444455556666:role/team-leads"], namespaces = ["agents", "gateway", "ray"] }
    editor        = { principals = ["arn:aws:iam::444455556666:role/developers"], namespaces = ["agents"] }
    reader        = { principals = ["arn:aws:iam::444455556666:role/developers"] }
  }
  ci = { repository = "example/agentic-eks", subjects = ["environment:prod"] }
}

cluster = {
  kubernetes_version  = "1.35"
  public_access_cidrs = [] # from inside the VPC only
  log_days            = 365
  system_nodes        = { instance_types = ["m7g.large", "m6g.large"], minimum = 3, maximum = 6 }
}

capacity = {
  images = { al2023 = "v20260903", bottlerocket = "v1.64.0" }
  pools = {
    graviton = { # the newest generation first: more work for the money
      kind              = "graviton"
      instance_families = ["c8g", "m8g", "r8g"]
      capacity_types    = ["on-demand"]
      limits            = { vcpu = 512, memory_gib = 2048 }
      weight            = 50
      largest_vcpu      = 16 # a node that is lost takes little with it
      quiet_hours       = { cron = "0 8 * * mon-fri", hours = 10 }
    }
    graviton-previous = {
      kind              = "graviton"
      instance_families = ["c7g", "m7g", "r7g"]
      capacity_types    = ["on-demand"]
      limits            = { vcpu = 512, memory_gib = 2048 }
      largest_vcpu      = 16
      quiet_hours       = { cron = "0 8 * * mon-fri", hours = 10 }
    }
    gpu = {
      kind              = "gpu"
      instance_families = ["g6", "g6e", "g5"]
      capacity_types    = ["on-demand"]
      limits            = { vcpu = 256, memory_gib = 1024, accelerators = 16 }
      disk_gib          = 200
      node_days         = 30 # loading a model again takes minutes
      idle_minutes      = 30
      quiet_hours       = { cron = "0 8 * * mon-fri", hours = 10 }
    }
    neuron = {
      kind              = "neuron"
      instance_families = ["inf2", "trn1"]
      capacity_types    = ["on-demand"]
      limits            = { vcpu = 256, memory_gib = 1024, accelerators = 16 }
      disk_gib          = 200
      node_days         = 30
      idle_minutes      = 30
      quiet_hours       = { cron = "0 8 * * mon-fri", hours = 10 }
    }
  }
}

models = {
  catalogue = {
    qwen2-5-7b-instruct = {
      runs_on        = "gpu"
      context_tokens = 16384
      replicas       = 3
      weights = {
        repository = "Qwen/Qwen2.5-7B-Instruct"
        revision   = "a09a35458c702b33eeacc393d103063234e8bc28"
        licence    = "apache-2.0"
      }
      serving   = { accelerators = 1, cpus = 3, memory_gib = 12, most_replicas = 6 }
      fallbacks = ["qwen3-8b"]
    }
    qwen3-8b = {
      runs_on        = "neuron"
      context_tokens = 16384
      replicas       = 2
      weights = {
        repository = "Qwen/Qwen3-8B"
        revision   = "b968826d9c46dd6066d109eabc6255188de91218"
        licence    = "apache-2.0"
      }
      serving   = { accelerators = 1, cpus = 6, memory_gib = 24, most_replicas = 4, neuron = { cores = 2, batch_size = 8 } }
      fallbacks = ["qwen2-5-7b-instruct"]
    }
    all-minilm-l6-v2 = {
      runs_on        = "kuberay"
      context_tokens = 512
      replicas       = 3
      threads        = 4
      dimension      = 384
      weights = {
        repository = "sentence-transformers/all-MiniLM-L6-v2"
        revision   = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
        licence    = "apache-2.0"
      }
      serving = { cpus = 4, memory_gib = 4, most_replicas = 12 }
    }
    nova-pro = {
      runs_on        = "bedrock"
      context_tokens = 300000
      bedrock_id     = "us.amazon.nova-pro-v1:0"
    }
  }
  chat      = "qwen2-5-7b-instruct"
  reasoning = "qwen3-8b"
  embedding = "all-minilm-l6-v2"
  judge     = "nova-pro"
  budgets = {
    agents     = { usd = 1000, every = "month" }
    evaluation = { usd = 400, every = "month" }
  }
}

knowledge = {
  sources = [
    { name = "documents", uri = "s3://agentic-eks-prod-knowledge-444455556666/documents", include = ["**/*"] },
  ]
  schedule          = { cron = "0 */6 * * *", timezone = "UTC" }
  chunks            = { tokens = 224, overlap_tokens = 32 }
  store             = { engine = "opensearch", index_prefix = "prod", shards = 3, replicas = 1 }
  fusion            = { method = "min_max", dense_weight = 0.6, candidates = 100 }
  recovery          = { schedule = { cron = "30 4 * * *", timezone = "UTC" } }
  events            = { schedule = { cron = "*/5 * * * *", timezone = "UTC" } }
  generations_kept  = 5
  max_document_mib  = 64
  embedding_workers = 8
}

evaluation = {
  dataset  = "golden/questions.jsonl"
  schedule = { cron = "0 9 * * mon", timezone = "UTC" } # between two refreshes
  metrics = [
    "recall_at_5", "mrr", "abstention_accuracy", "context_precision", "context_recall", "answer_similarity", "rouge_l", "groundedness",
    "faithfulness", "answer_relevancy", "judged_context_precision", "judged_context_recall", "answer_correctness",
  ]
  thresholds           = { recall_at_5 = 0.9, mrr = 0.75, abstention_accuracy = 0.8, groundedness = 0.8, faithfulness = 0.7 }
  answers_in_lifecycle = 20
  most_worse           = 0.03
  judge_tokens         = 4000000 # all golden questions take about 3 million
  traces               = { sample = 50, thresholds = { faithfulness = 0.5 }, schedule = { cron = "0 10 * * mon", timezone = "UTC" } }
}

agents = {
  relevancy_threshold    = 0.37
  groundedness_threshold = 0.8
  passages               = 8
  answer_tokens          = 512
  answer_seconds         = 30
  question_bytes         = 8192
  prompt                 = { passages = 6, tokens = 3000 }
  routing                = { certain_from = 0.65, web_results = 4 }
  budgets                = { tokens = 30000, tool_calls = 3, corrections = 2 }
  freshness              = { objective_hours = 12, window_minutes = 30 }
  web_search             = { key_secret = "tavily-api-key" }
  sign_in                = { required = true }
  allowance              = { requests_per_minute = 60, burst = 20, tokens_per_day = 2000000 }
  load                   = { answers = 64, waiting = 128, wait_seconds = 10 }
  conversations          = { kept_days = 90 }
}

# ---- observability

observability = {
  log_days = 365
  pod_logs = { agents = 365, gateway = 365, ray = 90, kube-system = 90 }
  metrics  = { retention_days = 400, scrape_seconds = 30 }
  alerts   = { emails = ["on-call@example.com"] }
  grafana = {
    version       = "10.4"
    allowed_cidrs = ["203.0.113.0/24"]                       # an example range of RFC 5737: put your office's
    admins        = ["11111111-2222-3333-4444-555555555555"] # ids of your Identity Center groups
    viewers       = ["66666666-7777-8888-9999-aaaaaaaaaaaa"]
  }
}

# ---- data

data = {
  buckets = { noncurrent_days = 90, result_days = 400 } # the last good evaluation is what the next one is compared with
  images = {
    repositories = ["agents", "flows", "ray"]
    kept         = 100
    pull_through = {
      ecr-public = { registry = "public.ecr.aws" }
      quay       = { registry = "quay.io" }
      kubernetes = { registry = "registry.k8s.io" }
    }
  }
  search = {
    engine_version    = "OpenSearch_3.3"
    instance_type     = "r7g.large.search"
    instance_count    = 3
    volume_gib        = 200
    dedicated_masters = { instance_type = "m7g.medium.search" }
  }
  secrets = {
    agents-gate-key              = { origin = "generated", rotation_days = 30 }
    litellm-agents-key           = { origin = "generated", rotation_days = 90 }
    litellm-evaluation-key       = { origin = "generated", rotation_days = 90 }
    litellm-master-key           = { origin = "generated", rotation_days = 90 }
    langfuse-clickhouse-password = { origin = "generated" }
    langfuse-encryption-key      = { origin = "generated" }
    langfuse-owner-password      = { origin = "generated" }
    langfuse-salt                = { origin = "generated" }
    langfuse-secret-key          = { origin = "generated" }
    langfuse-session-secret      = { origin = "generated" }
    langfuse-valkey-password     = { origin = "generated" }
    grafana-token                = { origin = "generated", rotation_days = 14 } # lives 30 days at most
    tavily-api-key               = { origin = "person" }
    weights-token                = { origin = "person" }
  }
  postgres = {
    agents   = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 50, multi_zone = true }
    langfuse = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 100, multi_zone = true }
    litellm  = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 50, multi_zone = true }
  }
  valkey = {
    agents   = { engine_version = "8.0", node_type = "cache.m7g.large", nodes = 3 }
    langfuse = { engine_version = "8.0", node_type = "cache.m7g.large", nodes = 2 }
    litellm  = { engine_version = "8.0", node_type = "cache.m7g.large", nodes = 3 }
  }
  backup = { point_in_time_days = 35, snapshot_days = 90, start_hour = 3, database_drill = {} }
}

# ---- edge

edge = {
  domain          = { name = "assistant.example.com" } # an example name of RFC 2606: put your own
  access_log_days = 365
  firewall        = { requests_per_5_minutes = 5000, largest_request_bytes = 262144 }
  sign_in         = { kind = "cognito", mfa = "required" }
}

# ---- addons

addons = {
  keda         = true
  external_dns = true
  langfuse     = { mode = "self_hosted", clickhouse = { replicas = 3, volume_gib = 100 } }
}

# ---- operations

operations = {
  schedules = {
    cost    = { cron = "0 7 * * *", timezone = "UTC" }
    drift   = { cron = "0 */6 * * *", timezone = "UTC" }
    secrets = { cron = "0 4 * * *", timezone = "UTC" }
  }
}
