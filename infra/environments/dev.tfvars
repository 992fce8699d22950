# Where changes are tried on AWS: small, not protected, may be torn down any evening.

environment = {
  name       = "dev"
  account_id = "111122223333" # an example account of AWS's documentation: put your own
  region     = "us-east-1"
  protected  = false
  budget     = { monthly_usd = 1500 }
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
      replicas       = 1
      weights = {
        repository = "Qwen/Qwen2.5-7B-Instruct" # Apache-2.0
        revision   = "a09a35458c702b33eeacc393d103063234e8bc28"
      }
      fallbacks = ["qwen3-8b"]
    }
    qwen3-8b = {
      runs_on        = "neuron"
      context_tokens = 16384
      replicas       = 1
      weights = {
        repository = "Qwen/Qwen3-8B" # Apache-2.0
        revision   = "b968826d9c46dd6066d109eabc6255188de91218"
      }
      fallbacks = ["qwen2-5-7b-instruct"]
    }
    all-minilm-l6-v2 = {
      runs_on        = "kuberay"
      context_tokens = 512
      replicas       = 1
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
    { name = "documents", uri = "s3://agentic-eks-dev-documents/current", include = ["**/*"] },
  ]
  schedule          = { cron = "0 2 * * *", timezone = "UTC" }
  chunks            = { tokens = 224, overlap_tokens = 32 }
  store             = { engine = "opensearch", index_prefix = "dev", shards = 1, replicas = 0 }
  fusion            = { method = "min_max", dense_weight = 0.3, candidates = 100 }
  generations_kept  = 3
  max_document_mib  = 64
  embedding_workers = 2
}

evaluation = {
  dataset              = "golden/questions.jsonl"
  schedule             = { cron = "0 6 * * mon", timezone = "UTC" }
  metrics              = ["recall_at_5", "mrr", "abstention_accuracy", "context_precision", "context_recall", "answer_similarity", "rouge_l", "groundedness"]
  thresholds           = { recall_at_5 = 0.85, mrr = 0.7, abstention_accuracy = 0.7 }
  answers_in_lifecycle = 20
}

agents = {
  relevancy_threshold    = 0.35
  groundedness_threshold = 0.7
  passages               = 8
  answer_tokens          = 512
  answer_seconds         = 60
  question_bytes         = 8192
}
