# What people rely on: protected, replicated, with stricter gates than dev.

environment = {
  name       = "prod"
  account_id = "444455556666" # an example account of AWS's documentation: put your own
  region     = "us-east-1"
  protected  = true
  budget     = { monthly_usd = 12000 }
  prefect = {
    api_url    = "https://prefect.example.com/api"
    work_pools = { management = "management", cluster = "cluster" }
  }
}

models = {
  catalogue = {
    qwen2-5-7b-instruct = {
      runs_on        = "gpu"
      context_tokens = 16384
      replicas       = 3
      weights = {
        repository = "Qwen/Qwen2.5-7B-Instruct" # Apache-2.0
        revision   = "a09a35458c702b33eeacc393d103063234e8bc28"
      }
      fallbacks = ["qwen3-8b"]
    }
    qwen3-8b = {
      runs_on        = "neuron"
      context_tokens = 16384
      replicas       = 2
      weights = {
        repository = "Qwen/Qwen3-8B" # Apache-2.0
        revision   = "b968826d9c46dd6066d109eabc6255188de91218"
      }
      fallbacks = ["qwen2-5-7b-instruct"]
    }
    all-minilm-l6-v2 = {
      runs_on        = "kuberay"
      context_tokens = 512
      replicas       = 3
      threads        = 4
      dimension      = 384
      weights = {
        repository = "sentence-transformers/all-MiniLM-L6-v2" # Apache-2.0
        revision   = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
      }
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
}

knowledge = {
  sources = [
    { name = "documents", uri = "s3://agentic-eks-prod-documents/current", include = ["**/*"] },
  ]
  schedule          = { cron = "0 */6 * * *", timezone = "UTC" }
  chunks            = { tokens = 224, overlap_tokens = 32 }
  store             = { engine = "opensearch", index_prefix = "prod", shards = 3, replicas = 1 }
  fusion            = { method = "min_max", dense_weight = 0.3, candidates = 100 }
  generations_kept  = 5
  max_document_mib  = 64
  embedding_workers = 8
}

evaluation = {
  dataset              = "golden/questions.jsonl"
  schedule             = { cron = "0 6 * * mon", timezone = "UTC" }
  metrics              = ["recall_at_5", "mrr", "abstention_accuracy", "context_precision", "context_recall", "answer_similarity", "rouge_l", "groundedness"]
  thresholds           = { recall_at_5 = 0.9, mrr = 0.75, abstention_accuracy = 0.8, groundedness = 0.8 }
  answers_in_lifecycle = 20
}

agents = {
  relevancy_threshold    = 0.35
  groundedness_threshold = 0.8
  passages               = 8
  answer_tokens          = 512
  answer_seconds         = 30
  question_bytes         = 8192
}
