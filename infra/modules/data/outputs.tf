output "buckets" {
  description = "The buckets by what they hold: knowledge, models, results, langfuse where it runs in the cluster, and with backups snapshots."
  value       = { for content, bucket in aws_s3_bucket.this : content => { name = bucket.id, arn = bucket.arn } }
}

output "repositories" {
  description = "The address of each image repository."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.repository_url }
}

output "pull_through" {
  description = "What the address of a cached image starts with, by upstream registry."
  value = {
    for prefix, cache in local.cached :
    cache.registry => "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/${prefix}"
  }
}

output "secrets" {
  description = "The ARN of each secret, by its name in the environment file."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "postgres" {
  description = "The PostgreSQL server of each client, and the secret that holds the password of its owner."
  value = {
    for client, server in aws_db_instance.this : client => {
      host        = server.address
      port        = server.port
      database    = server.db_name
      user        = server.username
      secret_arn  = one(server.master_user_secret[*].secret_arn)
      resource_id = server.resource_id
    }
  }
}

output "valkey" {
  description = "The Valkey cache of each client, and its user there."
  value = {
    for client, cache in aws_elasticache_replication_group.this : client => {
      host = cache.primary_endpoint_address
      port = cache.port
      user = aws_elasticache_user.this[client].user_name
    }
  }
}

output "backup_vault" {
  description = "The vault that backups lie in; null without backups."
  value       = one(aws_backup_vault.this[*].name)
}
