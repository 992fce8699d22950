# Buckets, images, secrets, databases and backups: what each part makes.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mock" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:mock" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
  }
  mock_resource "aws_db_instance" {
    defaults = { arn = "arn:aws:rds:us-east-1:111122223333:db:mock" }
  }
  mock_data "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:ecr-pullthroughcache/hub-abcdef" }
  }
}

variables {
  name              = "test"
  partition         = "aws"
  region            = "us-east-1"
  account_id        = "111122223333"
  tags              = { Environment = "test" }
  protected         = false
  log_days          = 30
  access_log_bucket = "test-access-logs"
  network           = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2", "subnet-3"], client_security_group_id = "sg-1" }
  keys              = { logs = "arn:aws:kms:us-east-1:111122223333:key/logs", data = "arn:aws:kms:us-east-1:111122223333:key/data" }
  buckets           = { noncurrent_days = 14, result_days = 30 }
  images            = { repositories = ["agents"], kept = 10, pull_through = {} }
  secrets           = []
  postgres          = {}
  valkey            = {}
  names = {
    knowledge_bucket  = "test-knowledge"
    models_bucket     = "test-models"
    results_bucket    = "test-results"
    document_queue    = "test-documents"
    repository_prefix = "test"
    secret_prefix     = "test"
  }
  document_places = { guides = "test-knowledge/guides", all = "elsewhere" }
}

run "everything_protected" {
  command = plan
  module {
    source = "./modules/data"
  }
  variables {
    protected = true
    names     = merge(var.names, { langfuse_bucket = "test-langfuse" })
    images = {
      repositories = ["agents", "flows", "ray"]
      kept         = 10
      pull_through = {
        ecr-public = { registry = "public.ecr.aws" }
        docker-hub = { registry = "registry-1.docker.io", credentials_secret = "ecr-pullthroughcache/hub" }
      }
    }
    secrets  = ["tavily-api-key"]
    postgres = { litellm = { major_version = "17", instance_class = "db.m7g.large", storage_gib = 20, multi_zone = true } }
    valkey   = { agents = { engine_version = "8.0", node_type = "cache.m7g.large", nodes = 3 } }
    backup   = { point_in_time_days = 35, snapshot_days = 90, start_hour = 3 }
  }

  assert {
    condition     = output.buckets.knowledge.name != null && keys(output.buckets) == ["knowledge", "langfuse", "models", "results", "snapshots"]
    error_message = "With backups there must be a bucket of snapshots, and one of Langfuse where it runs here."
  }
  assert {
    condition = alltrue([for content in keys(aws_s3_bucket.this) : (
      aws_s3_bucket_versioning.this[content].versioning_configuration[0].status == "Enabled" &&
      one(aws_s3_bucket_server_side_encryption_configuration.this[content].rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.keys.data &&
      aws_s3_bucket_public_access_block.this[content].block_public_policy && aws_s3_bucket_public_access_block.this[content].restrict_public_buckets &&
      aws_s3_bucket_logging.this[content].target_bucket == "test-access-logs" &&
      jsondecode(aws_s3_bucket_policy.this[content].policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    )])
    error_message = "Every bucket must be versioned, encrypted, private, logged and reached by TLS only."
  }
  assert {
    condition = { for source, rule in aws_cloudwatch_event_rule.documents : source => jsondecode(rule.event_pattern).detail } == {
      all    = { bucket = { name = ["elsewhere"] }, object = { key = [{ prefix = "" }] } }
      guides = { bucket = { name = ["test-knowledge"] }, object = { key = [{ prefix = "guides/" }] } }
    }
    error_message = "Changes are heard of below the prefix of each source, and nowhere else."
  }
  assert {
    condition     = [for queue in aws_sqs_queue.documents : [queue.name, queue.sqs_managed_sse_enabled]] == [["test-documents", true], ["test-documents-undelivered", true]]
    error_message = "Changes need an encrypted queue, and one for those that could not be delivered."
  }
  assert {
    condition     = [for content, rules in aws_s3_bucket_lifecycle_configuration.this : content if anytrue([for rule in rules.rule : length(rule.expiration) > 0])] == ["results"]
    error_message = "Only results may expire: documents are people's, snapshots share files."
  }
  assert {
    condition     = aws_s3_bucket_notification.knowledge.eventbridge
    error_message = "Changes of documents must be told."
  }
  assert {
    condition = alltrue([for repository in aws_ecr_repository.this : (
      repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push && repository.encryption_configuration[0].kms_key == var.keys.data
    )])
    error_message = "Images must be immutable, scanned and encrypted."
  }
  assert {
    condition     = aws_ecr_pull_through_cache_rule.this["ecr-public"].credential_arn == null && aws_ecr_pull_through_cache_rule.this["docker-hub"].credential_arn != null
    error_message = "A registry with credentials must have them, another must not."
  }
  assert {
    condition = alltrue([
      for template in aws_ecr_repository_creation_template.cached :
      template.resource_tags == var.tags && template.image_tag_mutability == "IMMUTABLE" && template.encryption_configuration[0].kms_key == var.keys.data
    ])
    error_message = "The repositories of cached images must be tagged, immutable and encrypted as ours are."
  }
  assert {
    condition     = output.pull_through["public.ecr.aws"] == "111122223333.dkr.ecr.us-east-1.amazonaws.com/ecr-public"
    error_message = "A cached image must be found by its upstream registry."
  }
  assert {
    condition     = aws_secretsmanager_secret.this["tavily-api-key"].name == "test/tavily-api-key" && aws_secretsmanager_secret.this["tavily-api-key"].recovery_window_in_days == 30
    error_message = "A secret of a protected environment must be recoverable."
  }
  assert {
    condition = (
      aws_db_instance.this["litellm"].storage_encrypted && !aws_db_instance.this["litellm"].publicly_accessible &&
      aws_db_instance.this["litellm"].manage_master_user_password && aws_db_instance.this["litellm"].deletion_protection &&
      !aws_db_instance.this["litellm"].skip_final_snapshot && aws_db_instance.this["litellm"].multi_az &&
      aws_db_instance.this["litellm"].backup_retention_period == 35 && aws_db_instance.this["litellm"].backup_window == "03:00-03:59"
    )
    error_message = "A protected database must be encrypted, private, backed up, and not deleted without a last snapshot."
  }
  assert {
    condition     = aws_db_parameter_group.this["litellm"].family == "postgres17" && anytrue([for parameter in aws_db_parameter_group.this["litellm"].parameter : parameter.name == "rds.force_ssl" && parameter.value == "1"])
    error_message = "A database must be reached by TLS only."
  }
  assert {
    condition = (
      aws_elasticache_replication_group.this["agents"].transit_encryption_enabled && aws_elasticache_replication_group.this["agents"].at_rest_encryption_enabled &&
      aws_elasticache_replication_group.this["agents"].multi_az_enabled && aws_elasticache_replication_group.this["agents"].snapshot_retention_limit == 35 &&
      aws_elasticache_user.this["agents"].authentication_mode[0].type == "iam"
    )
    error_message = "A cache must be encrypted, replicated, and closed to whoever has no IAM identity."
  }
  assert {
    condition = alltrue([
      for group in concat(values(aws_cloudwatch_log_group.postgres), values(aws_cloudwatch_log_group.valkey)) :
      group.kms_key_id == var.keys.logs && group.retention_in_days == 30
    ])
    error_message = "Log groups must be encrypted, and kept as long as the file says."
  }
  assert {
    condition = (
      one(aws_backup_plan.this["point-in-time"].rule).enable_continuous_backup && one(aws_backup_plan.this["point-in-time"].rule).lifecycle[0].delete_after == 35 &&
      one(aws_backup_plan.this["snapshots"].rule).lifecycle[0].delete_after == 90 && length(aws_backup_selection.this["snapshots"].resources) == 2
    )
    error_message = "Documents must be recoverable to a second, documents and databases to a night."
  }
}

run "nothing_optional" {
  command = plan
  module {
    source = "./modules/data"
  }
  variables {
    secrets = ["tavily-api-key"]
  }

  assert {
    condition     = output.backup_vault == null && keys(output.buckets) == ["knowledge", "models", "results"]
    error_message = "No backups were asked for."
  }
  assert {
    condition     = output.postgres == {} && output.valkey == {} && length(aws_security_group.postgres) == 0 && length(aws_elasticache_subnet_group.this) == 0
    error_message = "Neither databases nor caches were asked for."
  }
  assert {
    condition     = length(aws_ecr_pull_through_cache_rule.this) == 0 && length(aws_iam_role.image_cache) == 0
    error_message = "No cache of images was asked for."
  }
  assert {
    condition     = aws_secretsmanager_secret.this["tavily-api-key"].recovery_window_in_days == 0
    error_message = "A torn-down environment must leave no secrets behind."
  }
}

run "databases_without_backups" {
  command = plan
  module {
    source = "./modules/data"
  }
  variables {
    postgres = { agents = { major_version = "17", instance_class = "db.t4g.micro", storage_gib = 20, multi_zone = false } }
    valkey   = { agents = { engine_version = "8.0", node_type = "cache.t4g.micro", nodes = 1 } }
  }

  assert {
    condition     = aws_db_instance.this["agents"].backup_retention_period == 0 && aws_db_instance.this["agents"].skip_final_snapshot && !aws_db_instance.this["agents"].deletion_protection
    error_message = "Nothing relies on the data of an environment without backups."
  }
  assert {
    condition     = aws_elasticache_replication_group.this["agents"].snapshot_retention_limit == 0 && !aws_elasticache_replication_group.this["agents"].automatic_failover_enabled
    error_message = "A single node has no other to fail over to."
  }
}

run "a_queue_is_never_evicted" {
  command = plan
  module {
    source = "./modules/data"
  }

  variables {
    valkey = {
      agents   = { engine_version = "8.0", node_type = "cache.t4g.micro", nodes = 1 }
      langfuse = { engine_version = "8.0", node_type = "cache.t4g.micro", nodes = 1 }
    }
  }

  assert {
    condition = (
      aws_elasticache_replication_group.this["langfuse"].parameter_group_name == "test-langfuse-valkey8" &&
      [for parameter in aws_elasticache_parameter_group.queue["langfuse"].parameter : parameter.value] == ["noeviction"]
    )
    error_message = "Langfuse's jobs would be lost when memory is short."
  }

  assert {
    condition     = keys(aws_elasticache_parameter_group.queue) == ["langfuse"]
    error_message = "Counters of the agents may be evicted."
  }
}
