# Documents can be brought back to any second of the last days, documents and databases to any night of the last weeks.
# Databases go back to a second by RDS's own log (postgres.tf), caches and the search domain by their own snapshots.

locals {
  backup_plans = local.with_backup ? {
    point-in-time = {
      continuous = true
      days       = var.backup.point_in_time_days
      resources  = [aws_s3_bucket.this["knowledge"].arn]
    }
    snapshots = {
      continuous = false
      days       = var.backup.snapshot_days
      resources  = concat([aws_s3_bucket.this["knowledge"].arn], values(aws_db_instance.this)[*].arn)
    }
  } : {}
  backup_policies = [
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
  ]
}

resource "aws_backup_vault" "this" {
  count = local.with_backup ? 1 : 0

  name        = var.name
  kms_key_arn = var.keys.data
}

resource "aws_backup_plan" "this" {
  for_each = local.backup_plans

  name = "${var.name}-${each.key}"

  rule {
    rule_name                = each.key
    target_vault_name        = aws_backup_vault.this[0].name
    schedule                 = "cron(0 ${var.backup.start_hour} * * ? *)"
    enable_continuous_backup = each.value.continuous
    recovery_point_tags      = var.tags
    lifecycle {
      delete_after = each.value.days
    }
  }
}

resource "aws_backup_selection" "this" {
  for_each = local.backup_plans

  name         = each.key
  plan_id      = aws_backup_plan.this[each.key].id
  iam_role_arn = aws_iam_role.backup[0].arn
  resources    = each.value.resources
}

resource "aws_iam_role" "backup" {
  count = local.with_backup ? 1 : 0

  name        = "${var.name}-backup"
  description = "AWS Backup: copies and restores documents and databases"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "backup.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "backup" {
  for_each = local.with_backup ? toset(local.backup_policies) : toset([])

  role       = aws_iam_role.backup[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/${each.value}"
}
