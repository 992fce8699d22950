# Clients sign in to their own PostgreSQL server and Valkey cache as themselves: each has one user there, called as it is.
# Langfuse knows passwords only: its database's comes through External Secrets, and so does that of its cache.

locals {
  own_databases = { for client, id in var.database_ids : client => id if client != "langfuse" && contains(keys(local.workloads), client) }

  # Whose password RDS keeps itself, under a name that only it knows; the tag says of which server it is.
  read_database_passwords = length(var.clients.postgres) == 0 ? [] : [{
    Sid      = "ReadDatabasePasswords"
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    Resource = "arn:${var.partition}:secretsmanager:${var.region}:${var.account_id}:secret:rds!db-*"
    Condition = {
      StringEquals = {
        "aws:ResourceTag/aws:rds:primaryDBInstanceArn" = [
          for client in var.clients.postgres : "arn:${var.partition}:rds:${var.region}:${var.account_id}:db:${var.name}-${client}"
        ]
      }
    }
  }]

  drilled_database = "arn:${var.partition}:rds:${var.region}:${var.account_id}:db:${var.name}-agents"

  # The restore drill makes a server beside that of the agent service, of its name and "-drill", and deletes it.
  # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
  restore_database = [for statement in [
    {
      Sid    = "RestoreDatabaseBeside"
      Effect = "Allow"
      Action = ["rds:RestoreDBInstanceToPointInTime"]
      Resource = [
        local.drilled_database,
        "${local.drilled_database}-drill",
        "arn:${var.partition}:rds:${var.region}:${var.account_id}:pg:${var.name}-agents-*",
        "arn:${var.partition}:rds:${var.region}:${var.account_id}:subgrp:${var.name}",
        "arn:${var.partition}:rds:${var.region}:${var.account_id}:og:default:postgres-*",
      ]
    },
    {
      Sid      = "ManageDatabaseBeside"
      Effect   = "Allow"
      Action   = ["rds:AddTagsToResource", "rds:ModifyDBInstance", "rds:DeleteDBInstance"]
      Resource = "${local.drilled_database}-drill"
    },
    {
      Sid      = "FindDatabases"
      Effect   = "Allow"
      Action   = ["rds:DescribeDBInstances"]
      Resource = [local.drilled_database, "${local.drilled_database}-drill"]
    },
    {
      # RDS encrypts in the name of whoever asks it to make a server.
      # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
      Sid       = "EncryptDatabaseBeside"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant", "kms:DescribeKey"]
      Resource  = var.data_key_arn
      Condition = { StringEquals = { "kms:ViaService" = "rds.${var.region}.amazonaws.com" } }
    },
    {
      Sid       = "ReadDatabasePassword"
      Effect    = "Allow"
      Action    = ["secretsmanager:GetSecretValue"]
      Resource  = "arn:${var.partition}:secretsmanager:${var.region}:${var.account_id}:secret:rds!db-*"
      Condition = { StringEquals = { "aws:ResourceTag/aws:rds:primaryDBInstanceArn" = local.drilled_database } }
    },
  ] : statement if var.drills_database]

  # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
  connect_to_cache = {
    for client in var.clients.valkey : client => [{
      Sid    = "ConnectToCache"
      Effect = "Allow"
      Action = ["elasticache:Connect"]
      Resource = [
        "arn:${var.partition}:elasticache:${var.region}:${var.account_id}:replicationgroup:${var.name}-${client}",
        "arn:${var.partition}:elasticache:${var.region}:${var.account_id}:user:${var.name}-${client}",
      ]
    }]
  }
}

# A policy of its own: a server's id is known only once it runs, and no other permission should wait for that.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
resource "aws_iam_role_policy" "database" {
  for_each = local.own_databases

  name = "database"
  role = aws_iam_role.pod[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ConnectToDatabase"
      Effect   = "Allow"
      Action   = ["rds-db:connect"]
      Resource = "arn:${var.partition}:rds-db:${var.region}:${var.account_id}:dbuser:${each.value}/${each.key}"
    }]
  })
}
