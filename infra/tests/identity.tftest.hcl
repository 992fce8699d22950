# Who may take on which role, and what each may do in AWS.

mock_provider "aws" {}

variables {
  name       = "agentic-eks-test"
  partition  = "aws"
  region     = "us-east-1"
  account_id = "111122223333"
  names = {
    cluster           = "agentic-eks-test"
    knowledge_bucket  = "knowledge"
    models_bucket     = "models"
    results_bucket    = "results"
    langfuse_bucket   = "langfuse"
    opensearch_domain = "search"
    document_queue    = "changes"
    repository_prefix = "images"
    secret_prefix     = "secrets"
    log_group_prefix  = "/pods"
  }
  roles = {
    cluster_admin = { principals = ["arn:aws:iam::111122223333:role/platform"], require_mfa = false, session_hours = 4 }
    admin         = { principals = ["arn:aws:iam::111122223333:role/leads"], namespaces = ["agents"], require_mfa = false, session_hours = 8 }
    editor        = { principals = ["arn:aws:iam::111122223333:user/editor"], namespaces = ["agents"], require_mfa = true, session_hours = 8 }
    reader        = { principals = ["arn:aws:iam::111122223333:role/readers"], require_mfa = false, session_hours = 8 }
  }
  ci = { repository = "owner/name", subjects = ["environment:test", "ref:refs/heads/main"], create_provider = true }
  karpenter = {
    queue_arn            = "arn:aws:sqs:us-east-1:111122223333:queue"
    node_role_arn        = "arn:aws:iam::111122223333:role/node"
    instance_profile_arn = "arn:aws:iam::111122223333:instance-profile/node"
  }
  data_key_arn    = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
  clients         = { postgres = ["agents", "langfuse", "litellm"], valkey = ["agents", "langfuse"] }
  database_ids    = { agents = "db-AGENTS", langfuse = "db-LANGFUSE", litellm = "db-LITELLM" }
  bedrock_models  = ["us.amazon.nova-pro-v1:0", "amazon.titan-embed-text-v2:0"]
  drills_database = true
  document_places = ["documents/current/", "archive"]
}

run "everything" {
  command = plan
  module {
    source = "./modules/identity"
  }

  assert {
    condition     = { for name, entry in output.access_entries : name => "${entry.group} ${entry.policy} ${join(",", entry.namespaces)}" } == { cluster_admin = "cluster-admins AmazonEKSClusterAdminPolicy ", admin = "admins AmazonEKSAdminPolicy agents", editor = "editors AmazonEKSEditPolicy agents", reader = "readers AmazonEKSViewPolicy " }
    error_message = "Every role must come with its Kubernetes group, its access policy, and the namespaces of the file."
  }
  assert {
    condition     = jsondecode(aws_iam_role.person["admin"].assume_role_policy).Statement[0].Principal.AWS == ["arn:aws:iam::111122223333:role/leads"]
    error_message = "A role must trust the principals of the file, and nobody else."
  }
  assert {
    condition     = [for name, role in aws_iam_role.person : name if can(jsondecode(role.assume_role_policy).Statement[0].Condition.Bool["aws:MultiFactorAuthPresent"])] == ["editor"]
    error_message = "A second factor must be asked for where the file says so."
  }
  assert {
    condition     = keys(output.pod_identities) == ["agents", "aws-load-balancer-controller", "external-secrets", "fluent-bit", "grafana", "karpenter", "keda", "langfuse", "litellm", "models", "models-compiler", "prefect-worker", "ray"]
    error_message = "Every workload that calls AWS must have an identity of its own."
  }
  assert {
    condition = alltrue([
      for name, role in aws_iam_role.pod :
      jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/kubernetes-service-account"] == output.pod_identities[name].service_account
    ])
    error_message = "A pod's role must be usable by its own service account only."
  }
  assert {
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_role_policy.pod)[*].policy, values(aws_iam_role_policy.person)[*].policy, aws_iam_role_policy.ci[*].policy) : [
        for statement in jsondecode(policy).Statement : [for action in flatten([statement.Action]) : !strcontains(action, "*")]
      ]
    ]))
    error_message = "No policy may have a wildcard in an action."
  }
  assert {
    condition = alltrue(flatten([
      for policy in concat(values(aws_iam_role_policy.pod)[*].policy, aws_iam_role_policy.ci[*].policy) : [
        for statement in jsondecode(policy).Statement : [
          for action in flatten([statement.Action]) : can(regex(":(Describe|Get|List|Stop|View)", action))
        ] if statement.Resource == "*"
      ]
    ]))
    error_message = "What is granted on every resource may only read."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.pod["litellm"].policy).Statement[0].Resource == [
      "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0",
      "arn:aws:bedrock:*::foundation-model/amazon.nova-pro-v1:0",
      "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0",
    ]
    error_message = "LiteLLM must be able to call the models of the catalogue, and no other."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.pod["langfuse"].policy).Statement : statement.Sid => statement.Resource } == {
      KeepTraces      = "arn:aws:s3:::langfuse/*"
      ListTraces      = "arn:aws:s3:::langfuse"
      UseDataKeyForS3 = var.data_key_arn
    }
    error_message = "Langfuse must reach its own bucket, and nothing else."
  }
  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.pod["ray"].policy).Statement : statement.Sid => statement.Resource }["ReadDocuments"] == ["arn:aws:s3:::knowledge/*", "arn:aws:s3:::documents/current/*", "arn:aws:s3:::archive/*"]
    error_message = "Ray must read the documents of the file, and no others."
  }
  assert {
    condition     = [for name in ["agents", "litellm", "grafana", "ray", "prefect-worker"] : name if strcontains(aws_iam_role_policy.pod[name].policy, "es:ESHttpPut")] == ["ray", "prefect-worker"]
    error_message = "Agents must not write to the search domain; Ray and the workers must."
  }
  assert {
    condition = { for client, policy in aws_iam_role_policy.database : client => jsondecode(policy.policy).Statement[0].Resource } == {
      agents  = "arn:aws:rds-db:us-east-1:111122223333:dbuser:db-AGENTS/agents"
      litellm = "arn:aws:rds-db:us-east-1:111122223333:dbuser:db-LITELLM/litellm"
    }
    error_message = "A client with an identity must be able to sign in to its own server as itself, and to no other."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.pod["external-secrets"].policy).Statement : statement.Sid => try(statement.Condition.StringEquals["aws:ResourceTag/aws:rds:primaryDBInstanceArn"], null) }["ReadDatabasePasswords"] == [
      "arn:aws:rds:us-east-1:111122223333:db:agentic-eks-test-agents",
      "arn:aws:rds:us-east-1:111122223333:db:agentic-eks-test-langfuse",
      "arn:aws:rds:us-east-1:111122223333:db:agentic-eks-test-litellm",
    ]
    error_message = "External Secrets must read the passwords of the environment's own servers, and no others that RDS keeps."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.pod["agents"].policy).Statement : statement.Sid => statement.Resource }["ConnectToCache"] == [
      "arn:aws:elasticache:us-east-1:111122223333:replicationgroup:agentic-eks-test-agents",
      "arn:aws:elasticache:us-east-1:111122223333:user:agentic-eks-test-agents",
    ]
    error_message = "A client must be able to connect to its own cache as itself."
  }
  assert {
    condition     = [for name, policy in aws_iam_role_policy.pod : name if strcontains(policy.policy, "elasticache:Connect")] == ["agents"]
    error_message = "Who has no cache, or no identity, must not be able to connect to one."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.pod["ray"].policy).Statement : statement.Resource if contains(statement.Action, "s3:PutObject")] == ["arn:aws:s3:::results/refreshes/*"]
    error_message = "A refresh must write what came of it, and nothing where documents lie: it would start the next one."
  }
  assert {
    condition     = [for name, policy in aws_iam_role_policy.pod : name if strcontains(policy.policy, ":changes\"") || strcontains(policy.policy, "/restore-drill/*")] == ["prefect-worker"]
    error_message = "Only the flows may read what changed, and practise restoring."
  }
  assert {
    condition     = [for name, policy in aws_iam_role_policy.pod : name if strcontains(policy.policy, "rds:RestoreDB")] == ["prefect-worker"]
    error_message = "Only the flows may restore a database."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.pod["prefect-worker"].policy).Statement : statement.Sid => statement.Resource }["ManageDatabaseBeside"] == (
      "arn:aws:rds:us-east-1:111122223333:db:agentic-eks-test-agents-drill"
    )
    error_message = "The flows must be able to change and delete the server that a drill made, and none that serves."
  }
  assert {
    condition     = [for name, policy in aws_iam_role_policy.pod : name if strcontains(policy.policy, "role/agentic-eks-test-search-administrator")] == ["prefect-worker"]
    error_message = "Only the workers of the flows may administer the search domain."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.pod["prefect-worker"].policy).Statement : statement.Sid => statement.Resource if contains(["ReadKeysOfGatewayAndLangfuse", "ReadManifestsOfWeights"], statement.Sid) } == {
      ReadKeysOfGatewayAndLangfuse = [
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:secrets/litellm-evaluation-key-??????",
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:secrets/langfuse-secret-key-??????",
      ]
      ReadManifestsOfWeights = "arn:aws:s3:::models/weights/*/manifest.json"
    }
    error_message = "An evaluation must read the keys of the gateway and of Langfuse, and which weights are mirrored."
  }
  assert {
    condition     = jsondecode(aws_iam_role.ci[0].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:owner/name:environment:test", "repo:owner/name:ref:refs/heads/main"]
    error_message = "CI must be the workflows that the file names."
  }
}

run "no_bedrock_model_and_no_ci" {
  command = plan
  module {
    source = "./modules/identity"
  }
  variables {
    ci             = null
    bedrock_models = []
  }

  assert {
    condition     = !contains(keys(aws_iam_role_policy.pod), "litellm") && contains(keys(aws_iam_role.pod), "litellm")
    error_message = "Without a Bedrock model LiteLLM must have a role that may do nothing."
  }
  assert {
    condition     = length(aws_iam_role.ci) == 0 && length(aws_iam_openid_connect_provider.github) == 0 && output.ci_role_arn == null
    error_message = "Without access.ci there must be no role for it."
  }
}

run "a_domain" {
  command = plan
  module {
    source = "./modules/identity"
  }
  variables {
    domain = "assistant.example.com"
  }

  assert {
    condition     = output.pod_identities["external-dns"].service_account == "external-dns"
    error_message = "With a domain ExternalDNS must have a role."
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.pod["external-dns"].policy).Statement : statement.Condition
      if contains(statement.Action, "route53:ChangeResourceRecordSets")
    ] == [{ "ForAllValues:StringLike" = { "route53:ChangeResourceRecordSetsNormalizedRecordNames" = ["assistant.example.com", "*.assistant.example.com"] } }]
    error_message = "ExternalDNS may write the domain and what is below it, and nothing else."
  }
}

run "no_databases_and_no_caches" {
  command = plan
  module {
    source = "./modules/identity"
  }
  variables {
    clients         = { postgres = [], valkey = [] }
    database_ids    = {}
    drills_database = false
  }

  assert {
    condition     = length(aws_iam_role_policy.database) == 0 && !anytrue([for policy in aws_iam_role_policy.pod : strcontains(policy.policy, "elasticache") || strcontains(policy.policy, "rds!")])
    error_message = "Without databases and caches nobody may connect to one."
  }
}

run "the_provider_of_github_exists" {
  command = plan
  module {
    source = "./modules/identity"
  }
  variables {
    ci = { repository = "owner/name", subjects = ["environment:test"], create_provider = false }
  }

  assert {
    condition     = length(aws_iam_role.ci) == 1 && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "Where the account has the provider already, only the role may be made."
  }
}
