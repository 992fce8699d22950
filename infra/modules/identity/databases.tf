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
