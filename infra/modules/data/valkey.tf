# A Valkey cache a client, encrypted on disk and on the wire, with one user for that client.

locals {
  with_valkey = length(var.valkey) > 0
  # These clients keep a queue. AWS's own parameters evict what has an expiry when memory is short, such as the locks of
  # jobs, which then run twice: https://langfuse.com/self-hosting/deployment/infrastructure/cache.
  with_queue = { for client, cache in var.valkey : client => cache if client == "langfuse" }
}

resource "aws_elasticache_replication_group" "this" {
  for_each = var.valkey

  replication_group_id = "${var.name}-${each.key}"
  description          = "Valkey for ${each.key}"
  engine               = "valkey"
  engine_version       = each.value.engine_version
  parameter_group_name = contains(keys(local.with_queue), each.key) ? aws_elasticache_parameter_group.queue[each.key].name : null
  node_type            = each.value.node_type
  num_cache_clusters   = each.value.nodes

  automatic_failover_enabled = each.value.nodes > 1
  multi_az_enabled           = each.value.nodes > 1

  at_rest_encryption_enabled = true
  kms_key_id                 = var.keys.data
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_elasticache_user_group.this[each.key].user_group_id]

  subnet_group_name  = aws_elasticache_subnet_group.this[0].name
  security_group_ids = [aws_security_group.valkey[0].id]

  snapshot_retention_limit   = local.with_backup ? min(var.backup.snapshot_days, 35) : 0
  snapshot_window            = local.with_backup ? format("%02d:00-%02d:59", var.backup.start_hour, var.backup.start_hour) : null
  maintenance_window         = "sun:06:00-sun:07:00"
  final_snapshot_identifier  = var.protected ? "${var.name}-${each.key}-last" : null
  auto_minor_version_upgrade = true

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.valkey[each.key].name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
}

resource "aws_elasticache_parameter_group" "queue" {
  for_each = local.with_queue

  # A group belongs to one major version: another version needs another group before it.
  name        = "${var.name}-${each.key}-valkey${split(".", each.value.engine_version)[0]}"
  family      = "valkey${split(".", each.value.engine_version)[0]}"
  description = "Valkey for the queue of ${each.key}"

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Starts closed to all but IAM identities. For a client that only knows passwords the secrets flow sets one, which
# Terraform neither knows nor takes back.
resource "aws_elasticache_user" "this" {
  for_each = var.valkey

  user_id       = "${var.name}-${each.key}"
  user_name     = "${var.name}-${each.key}" # IAM wants both to be the same
  engine        = "valkey"
  access_string = "on ~* &* +@all -@admin -@dangerous +info +keys"

  authentication_mode {
    type = "iam"
  }

  lifecycle {
    ignore_changes = [authentication_mode]
  }
}

resource "aws_elasticache_user_group" "this" {
  for_each = var.valkey

  user_group_id = "${var.name}-${each.key}"
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.this[each.key].user_id]
}

resource "aws_elasticache_subnet_group" "this" {
  count = local.with_valkey ? 1 : 0

  name       = var.name
  subnet_ids = var.network.subnet_ids
}

resource "aws_security_group" "valkey" {
  count = local.with_valkey ? 1 : 0

  name        = "${var.name}-valkey"
  description = "Valkey: connections from the cluster"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-valkey" }
}

resource "aws_vpc_security_group_ingress_rule" "valkey" {
  count = local.with_valkey ? 1 : 0

  security_group_id            = aws_security_group.valkey[0].id
  description                  = "Pods and nodes of the cluster"
  referenced_security_group_id = var.network.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_cloudwatch_log_group" "valkey" {
  for_each = var.valkey

  name              = "/aws/elasticache/${var.name}-${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.keys.logs
}
