# Where changes are tried on AWS: small, not protected, may be torn down any evening.

environment = {
  name       = "dev"
  account_id = "111122223333" # an example account of AWS's documentation: put your own
  region     = "us-east-1"
  protected  = false
  budget     = { monthly_usd = 1500 }
  prefect = {
    api_url    = "https://prefect.example.com/api"
    work_pools = { management = "management", cluster = "dev-cluster" }
  }
}

network = {
  cidr = "10.40.0.0/16"
  zones = {
    us-east-1a = { public = "10.40.0.0/24", intra = "10.40.8.0/24", private = "10.40.64.0/18" }
    us-east-1b = { public = "10.40.1.0/24", intra = "10.40.9.0/24", private = "10.40.128.0/18" }
    us-east-1c = { public = "10.40.2.0/24", intra = "10.40.10.0/24", private = "10.40.192.0/18" }
  }
  nat_gateways        = "single"
  interface_endpoints = { placement = "single" }
  flow_log_days       = 30
}

access = {
  roles = { # your own roles, such as those of IAM Identity Center; the flows' worker needs cluster_admin
    cluster_admin = { principals = ["arn:aws:iam::111122223333:role/platform", "arn:aws:iam::111122223333:role/prefect-management"] }
    admin         = { principals = ["arn:aws:iam::111122223333:role/team-leads"], namespaces = ["agents", "gateway", "ray"] }
    editor        = { principals = ["arn:aws:iam::111122223333:role/developers"], namespaces = ["agents"] }
    reader        = { principals = ["arn:aws:iam::111122223333:role/developers"] }
  }
  ci = { repository = "example/agentic-eks", subjects = ["environment:dev"] }
}

cluster = {
  kubernetes_version  = "1.35"
  public_access_cidrs = ["203.0.113.0/24"] # an example range of RFC 5737: put your office's
  log_days            = 30
  system_nodes        = { instance_types = ["m7g.large", "m6g.large"], minimum = 2, maximum = 4 }
}

capacity = {
  images = { al2023 = "v20260903", bottlerocket = "v1.64.0" }
  pools = {
    graviton = { # the newest generation first: more work for the money
      kind              = "graviton"
      instance_families = ["c8g", "m8g", "r8g"]
      capacity_types    = ["spot", "on-demand"]
      limits            = { vcpu = 64, memory_gib = 256 }
      weight            = 50
      largest_vcpu      = 16
      idle_minutes      = 1
    }
    graviton-previous = {
      kind              = "graviton"
      instance_families = ["c7g", "m7g", "r7g"]
      capacity_types    = ["spot", "on-demand"]
      limits            = { vcpu = 64, memory_gib = 256 }
      largest_vcpu      = 16
      idle_minutes      = 1
    }
    gpu = {
      kind              = "gpu"
      instance_families = ["g6", "g5", "g6e"]
      capacity_types    = ["spot", "on-demand"]
      limits            = { vcpu = 32, memory_gib = 128, accelerators = 4 }
      disk_gib          = 200
    }
    neuron = {
      kind              = "neuron"
      instance_families = ["inf2", "trn1"]
      capacity_types    = ["on-demand"]
      limits            = { vcpu = 64, memory_gib = 256, accelerators = 4 }
      disk_gib          = 200
    }
  }
}

models = {
  catalogue = {
    qwen2-5-7b-instruct = {
      runs_on        = "gpu"
      context_tokens = 16384
      replicas       = 1
      weights = {
        repository = "Qwen/Qwen2.5-7B-Instruct"
        revision   = "a09a35458c702b33eeacc393d103063234e8bc28"
        licence    = "apache-2.0"
      }
      serving   = { accelerators = 1, cpus = 3, memory_gib = 12 }
      fallbacks = ["qwen3-8b"]
    }
    qwen3-8b = {
      runs_on        = "neuron"
      context_tokens = 16384
      replicas       = 1
      weights = {
        repository = "Qwen/Qwen3-8B"
        revision   = "b968826d9c46dd6066d109eabc6255188de91218"
        licence    = "apache-2.0"
      }
      serving   = { accelerators = 1, cpus = 6, memory_gib = 24, neuron = { cores = 2, batch_size = 8 } }
      fallbacks = ["qwen2-5-7b-instruct"]
    }
    all-minilm-l6-v2 = {
      runs_on        = "kuberay"
      context_tokens = 512
      replicas       = 1
      threads        = 4
      dimension      = 384
      weights = {
        repository = "sentence-transformers/all-MiniLM-L6-v2"
        revision   = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
        licence    = "apache-2.0"
      }
      serving = { cpus = 4, memory_gib = 4 }
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
    agents     = { usd = 100, every = "month" }
    evaluation = { usd = 200, every = "month" }
  }
}

knowledge = {
  sources = [
    { name = "documents", uri = "s3://agentic-eks-dev-knowledge-111122223333/documents", include = ["**/*"] },
  ]
  schedule          = { cron = "0 2 * * *", timezone = "UTC" }
  chunks            = { tokens = 224, overlap_tokens = 32 }
  store             = { engine = "opensearch", index_prefix = "dev", shards = 1, replicas = 0 }
  fusion            = { method = "min_max", dense_weight = 0.6, candidates = 100 }
  recovery          = { schedule = { cron = "30 4 * * *", timezone = "UTC" } }
  events            = { schedule = { cron = "*/5 * * * *", timezone = "UTC" } }
  generations_kept  = 3
  max_document_mib  = 64
  embedding_workers = 2
}

evaluation = {
  dataset  = "golden/questions.jsonl"
  schedule = { cron = "0 6 * * mon", timezone = "UTC" }
  metrics = [
    "recall_at_5", "mrr", "abstention_accuracy", "context_precision", "context_recall", "answer_similarity", "rouge_l", "groundedness",
    "faithfulness", "answer_relevancy", "judged_context_precision", "judged_context_recall", "answer_correctness",
  ]
  thresholds           = { recall_at_5 = 0.85, mrr = 0.7, abstention_accuracy = 0.7, faithfulness = 0.6 }
  answers_in_lifecycle = 20
  most_worse           = 0.05
  judge_tokens         = 4000000 # all golden questions take about 3 million
}

agents = {
  relevancy_threshold    = 0.37
  groundedness_threshold = 0.7
  passages               = 8
  answer_tokens          = 512
  answer_seconds         = 60
  question_bytes         = 8192
  prompt                 = { passages = 6, tokens = 3000 }
  routing                = { certain_from = 0.65, web_results = 4 }
  budgets                = { tokens = 30000, tool_calls = 3, corrections = 2 }
  freshness              = { objective_hours = 30, window_minutes = 60 }
  web_search             = { key_secret = "tavily-api-key" }
  allowance              = { requests_per_minute = 60, burst = 20 }
  load                   = { answers = 32, waiting = 64, wait_seconds = 10 }
}

# ---- observability

observability = {
  log_days = 30
  pod_logs = { agents = 30, gateway = 30, ray = 14, kube-system = 14 }
  metrics  = { retention_days = 30, scrape_seconds = 60 }
}

# ---- data

data = {
  buckets = { noncurrent_days = 14, result_days = 400 } # the last good evaluation is what the next one is compared with
  images = {
    repositories = ["agents", "flows", "ray"]
    kept         = 30
    pull_through = {
      ecr-public = { registry = "public.ecr.aws" }
      quay       = { registry = "quay.io" }
      kubernetes = { registry = "registry.k8s.io" }
    }
  }
  search = {
    engine_version = "OpenSearch_3.3"
    instance_type  = "m7g.medium.search"
    instance_count = 3
    volume_gib     = 20
  }
  secrets = {
    litellm-agents-key     = { origin = "generated", rotation_days = 90 }
    litellm-evaluation-key = { origin = "generated", rotation_days = 90 }
    litellm-master-key     = { origin = "generated", rotation_days = 90 }
    grafana-token          = { origin = "generated", rotation_days = 14 } # lives 30 days at most
    tavily-api-key         = { origin = "person" }
    weights-token          = { origin = "person" }
  }
  postgres = {
    litellm = { major_version = "17", instance_class = "db.t4g.micro", storage_gib = 20, multi_zone = false }
  }
  valkey = {}
  backup = { point_in_time_days = 7, snapshot_days = 14, start_hour = 3 }
}

# ---- edge

edge = {
  access_log_days = 30
  firewall        = { requests_per_5_minutes = 2000, largest_request_bytes = 65536 }
}

# ---- addons

addons = {
  keda = true
}

# ---- operations

operations = {
  schedules = {
    cost    = { cron = "0 7 * * *", timezone = "UTC" }
    drift   = { cron = "0 5 * * *", timezone = "UTC" }
    secrets = { cron = "0 4 * * *", timezone = "UTC" }
  }
}
