# The least that is accepted, on AWS: what every test of the root starts from, and changes one thing of.

environment = {
  name       = "dev"
  account_id = "111122223333"
  region     = "us-east-1"
  protected  = false
  budget     = { monthly_usd = 100 }
  prefect = {
    api_url    = "https://prefect.example.com/api"
    work_pools = { management = "management", cluster = "cluster" }
  }
}

models = {
  catalogue = {
    text = {
      runs_on        = "bedrock"
      context_tokens = 128
      bedrock_id     = "us.amazon.nova-pro-v1:0"
    }
    vectors = {
      runs_on        = "kuberay"
      context_tokens = 512
      dimension      = 384
      weights        = { repository = "owner/name", revision = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf", licence = "mit" }
      serving        = { cpus = 1, memory_gib = 1 }
    }
  }
  chat      = "text"
  reasoning = "text"
  embedding = "vectors"
}

knowledge = {
  sources           = [{ name = "documents", uri = "s3://agentic-eks-dev-knowledge-111122223333/documents" }]
  chunks            = { tokens = 32, overlap_tokens = 16 }
  store             = { engine = "opensearch", index_prefix = "dev" }
  fusion            = { method = "rrf", dense_weight = 1, candidates = 1 }
  generations_kept  = 1
  max_document_mib  = 1
  embedding_workers = 1
}

evaluation = {
  dataset              = "golden/questions.jsonl"
  metrics              = ["mrr"]
  thresholds           = { mrr = 1 }
  answers_in_lifecycle = 0
}

agents = {
  relevancy_threshold    = 0
  groundedness_threshold = 1
  passages               = 1
  answer_tokens          = 16
  answer_seconds         = 0.5
  question_bytes         = 256
}

network = {
  cidr = "10.0.0.0/18"
  zones = {
    us-east-1a = { public = "10.0.48.0/26", private = "10.0.0.0/20", intra = "10.0.49.0/28" }
    us-east-1b = { public = "10.0.48.64/26", private = "10.0.16.0/20", intra = "10.0.49.16/28" }
    us-east-1c = { public = "10.0.48.128/26", private = "10.0.32.0/20", intra = "10.0.49.32/28" }
  }
  nat_gateways        = "single"
  interface_endpoints = { placement = "single" }
  flow_log_days       = 1
}

access = {
  roles = {
    cluster_admin = { principals = ["arn:aws:iam::111122223333:role/platform"] }
    admin         = { principals = ["arn:aws:iam::111122223333:role/leads"], namespaces = ["agents", "gateway"] }
    editor        = { principals = ["arn:aws:iam::111122223333:user/editor"], namespaces = ["agents"], require_mfa = true }
    reader        = { principals = ["arn:aws:iam::111122223333:role/readers"] }
  }
  ci = { repository = "owner/name", subjects = ["environment:dev"] }
}

cluster = {
  kubernetes_version = "1.35"
  log_days           = 1
  system_nodes       = { instance_types = ["m7g.large"], minimum = 2, maximum = 2 }
}

capacity = {
  images = { al2023 = "v20260903", bottlerocket = "v1.64.0" }
  pools = {
    graviton = { kind = "graviton", instance_families = ["m7g"], capacity_types = ["on-demand"], limits = { vcpu = 1, memory_gib = 4 } }
  }
}

observability = {
  log_days = 1
  pod_logs = {}
  metrics  = { retention_days = 1, scrape_seconds = 30 }
  alerts   = { emails = ["on-call@example.com"] }
}

data = {
  buckets  = { noncurrent_days = 1, result_days = 1 }
  images   = { repositories = [], kept = 1, pull_through = {} }
  search   = { engine_version = "OpenSearch_3.3", instance_type = "m7g.medium.search", instance_count = 3, volume_gib = 10, dedicated_masters = { instance_type = "m7g.medium.search" } }
  secrets  = { agents-gate-key = { origin = "generated" } }
  postgres = {}
  valkey   = {}
  backup   = { point_in_time_days = 1, snapshot_days = 1, start_hour = 0 }
}

edge = {
  domain          = { name = "assistant.example.com" }
  access_log_days = 1
  firewall        = { requests_per_5_minutes = 10, largest_request_bytes = 256 }
  sign_in         = { kind = "cognito", mfa = "optional" }
}

addons = {
  external_dns = true
}

operations = {
  schedules = { drift = { cron = "0 5 * * *", timezone = "UTC" } }
}
