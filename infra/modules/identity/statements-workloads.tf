# What each workload of ours may do in AWS, and nothing else.

locals {
  search_domain_arn  = "arn:${var.partition}:es:${var.region}:${var.account_id}:domain/${var.names.opensearch_domain}"
  secrets_arn        = "arn:${var.partition}:secretsmanager:${var.region}:${var.account_id}:secret:${var.names.secret_prefix}/*"
  pod_log_groups_arn = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${var.names.log_group_prefix}/*"
  knowledge_arn      = "arn:${var.partition}:s3:::${var.names.knowledge_bucket}"
  models_arn         = "arn:${var.partition}:s3:::${var.names.models_bucket}"
  results_arn        = "arn:${var.partition}:s3:::${var.names.results_bucket}"
  langfuse_arn       = "arn:${var.partition}:s3:::${coalesce(var.names.langfuse_bucket, "none")}"
  document_buckets   = distinct([for place in var.document_places : split("/", place)[0]])

  read_search = {
    Sid      = "ReadSearch"
    Effect   = "Allow"
    Action   = ["es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost"] # a search is a POST; OpenSearch's own roles refuse writes
    Resource = "${local.search_domain_arn}/*"
  }
  write_search = {
    Sid      = "WriteSearch"
    Effect   = "Allow"
    Action   = ["es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut", "es:ESHttpDelete"]
    Resource = "${local.search_domain_arn}/*"
  }
  read_documents = {
    Sid    = "ReadDocuments"
    Effect = "Allow"
    Action = ["s3:GetObject"]
    Resource = concat(
      ["${local.knowledge_arn}/*"],
      [for place in var.document_places : "arn:${var.partition}:s3:::${trimsuffix(place, "/")}/*"],
    )
  }
  list_documents = {
    Sid      = "ListDocuments"
    Effect   = "Allow"
    Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
    Resource = concat([local.knowledge_arn], [for bucket in local.document_buckets : "arn:${var.partition}:s3:::${bucket}"])
  }
  use_data_key_for_s3 = {
    Sid       = "UseDataKeyForS3"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = var.data_key_arn
    Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
  }

  read_weights = [
    {
      Sid      = "ReadWeights"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = "${local.models_arn}/*"
    },
    {
      # Without it S3 says of an object that is not there that access to it is denied.
      Sid      = "ListWeights"
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
      Resource = local.models_arn
    },
  ]

  external_secrets_statements = concat(
    [
      {
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        Resource = local.secrets_arn
      },
      {
        Sid       = "DecryptSecrets"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = var.data_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ],
    local.read_database_passwords,
  )

  fluent_bit_statements = [{
    Sid      = "WritePodLogs"
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    Resource = [local.pod_log_groups_arn, "${local.pod_log_groups_arn}:log-stream:*"]
  }]

  external_dns_statements = [
    {
      # None of these can be limited to a resource.
      Sid      = "FindZones"
      Effect   = "Allow"
      Action   = ["route53:ListHostedZones", "route53:ListHostedZonesByName", "route53:ListTagsForResources"]
      Resource = "*"
    },
    {
      Sid      = "ReadRecords"
      Effect   = "Allow"
      Action   = ["route53:ListResourceRecordSets", "route53:ListTagsForResource"]
      Resource = "arn:${var.partition}:route53:::hostedzone/*"
    },
    {
      # The domain and what is below it, whatever else the zone has.
      Sid      = "WriteRecordsOfTheDomain"
      Effect   = "Allow"
      Action   = ["route53:ChangeResourceRecordSets"]
      Resource = "arn:${var.partition}:route53:::hostedzone/*"
      Condition = {
        "ForAllValues:StringLike" = {
          "route53:ChangeResourceRecordSetsNormalizedRecordNames" = [coalesce(var.domain, "none"), "*.${coalesce(var.domain, "none")}"]
        }
      }
    },
  ]

  query_metrics = {
    Sid       = "QueryMetrics"
    Effect    = "Allow"
    Action    = ["aps:QueryMetrics", "aps:GetLabels", "aps:GetSeries", "aps:GetMetricMetadata"]
    Resource  = "arn:${var.partition}:aps:${var.region}:${var.account_id}:workspace/*"
    Condition = { StringEquals = { "aws:ResourceTag/Environment" = trimprefix(var.name, "agentic-eks-") } }
  }

  grafana_statements = [
    local.query_metrics,
    {
      Sid      = "QueryPodLogs"
      Effect   = "Allow"
      Action   = ["logs:StartQuery", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:DescribeLogStreams"]
      Resource = [local.pod_log_groups_arn, "${local.pod_log_groups_arn}:log-stream:*"]
    },
    {
      # None of these can be limited to a resource.
      Sid      = "ReadQueriesAndCloudWatchMetrics"
      Effect   = "Allow"
      Action   = ["logs:GetQueryResults", "logs:StopQuery", "logs:DescribeLogGroups", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]
      Resource = "*"
    },
  ]

  # An inference profile (us.<vendor>.<model>) spreads calls over regions, and needs the model in each of them.
  invoke_models = length(var.bedrock_models) == 0 ? [] : [{
    Sid    = "InvokeModelsOfTheCatalogue"
    Effect = "Allow"
    Action = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    Resource = flatten([
      for id in var.bedrock_models : can(regex("^(us|us-gov|eu|apac|jp|au|ca|global)\\.", id)) ? [
        "arn:${var.partition}:bedrock:${var.region}:${var.account_id}:inference-profile/${id}",
        "arn:${var.partition}:bedrock:*::foundation-model/${join(".", slice(split(".", id), 1, length(split(".", id))))}",
      ] : ["arn:${var.partition}:bedrock:${var.region}::foundation-model/${id}"]
    ])
  }]

  litellm_statements = concat(local.invoke_models, lookup(local.connect_to_cache, "litellm", []))

  # What serves a model reads weights only: whoever takes a server over cannot change what the others load.
  models_statements = concat(local.read_weights, [local.use_data_key_for_s3])
  models_compiler_statements = concat(local.models_statements, [{
    Sid      = "WriteCompiledModels"
    Effect   = "Allow"
    Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    Resource = "${local.models_arn}/compiled/*"
  }])

  ray_statements = concat(local.read_weights, [
    local.read_documents,
    local.list_documents,
    local.use_data_key_for_s3,
    local.write_search,
    {
      # Not beside the documents: what a refresh writes must be no change of them.
      Sid      = "LeaveOutcomes"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = "${local.results_arn}/refreshes/*"
    },
  ])

  agents_statements = concat([local.read_search], lookup(local.connect_to_cache, "agents", []))

  # Events before they are in ClickHouse, media and exports: all of it is Langfuse's own.
  langfuse_statements = [
    {
      Sid      = "KeepTraces"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      Resource = "${local.langfuse_arn}/*"
    },
    {
      Sid      = "ListTraces"
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
      Resource = local.langfuse_arn
    },
    local.use_data_key_for_s3,
  ]

  # An evaluation asks the models, with its own key of the gateway, has to know which embedding model is mirrored, and writes
  # its scores to Langfuse.
  evaluate_statements = [
    {
      Sid      = "ReadKeysOfGatewayAndLangfuse"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [for name in ["litellm-evaluation-key", "langfuse-secret-key"] : "${trimsuffix(local.secrets_arn, "*")}${name}-??????"]
    },
    {
      Sid       = "DecryptKeysOfGatewayAndLangfuse"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = var.data_key_arn
      Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
    },
    {
      Sid      = "ReadManifestsOfWeights"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = "${local.models_arn}/weights/*/manifest.json"
    },
    {
      # As for those who read the weights.
      Sid      = "ListWeights"
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
      Resource = local.models_arn
    },
  ]

  # The restore drill deletes a document of its own, below a prefix that no source reads, and brings its version back.
  practise_restoring = [
    {
      Sid      = "PractiseRestoring"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]
      Resource = "${local.knowledge_arn}/restore-drill/*"
    },
    {
      Sid      = "FindVersions"
      Effect   = "Allow"
      Action   = ["s3:ListBucketVersions", "s3:GetBucketVersioning"]
      Resource = local.knowledge_arn
    },
  ]

  prefect_worker_statements = concat(local.evaluate_statements, local.practise_restoring, local.restore_database, [
    {
      Sid      = "HearOfDocuments"
      Effect   = "Allow"
      Action   = ["sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
      Resource = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.names.document_queue}"
    },
    {
      Sid      = "KeepResults"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
      Resource = "${local.results_arn}/*"
    },
    {
      Sid      = "ListResults"
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
      Resource = local.results_arn
    },
    local.read_documents,
    local.list_documents,
    local.use_data_key_for_s3,
    local.write_search,
    {
      # To map the roles above to roles inside the domain, which is reached from the cluster only.
      Sid      = "AdministerSearch"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole", "sts:TagSession"]
      Resource = "arn:${var.partition}:iam::${var.account_id}:role/${var.name}-search-administrator"
    },
  ])
}
