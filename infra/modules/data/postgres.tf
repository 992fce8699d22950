# A PostgreSQL server a client. The password of its owner is RDS's own, in Secrets Manager.

locals {
  with_postgres = length(var.postgres) > 0
  postgres_logs = ["postgresql", "upgrade"]
}

resource "aws_db_instance" "this" {
  for_each = var.postgres

  identifier     = "${var.name}-${each.key}"
  engine         = "postgres"
  engine_version = each.value.major_version # RDS raises the minor one in the maintenance window
  instance_class = each.value.instance_class
  multi_az       = each.value.multi_zone

  db_name                             = each.key
  username                            = each.key
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.keys.data
  iam_database_authentication_enabled = true
  parameter_group_name                = aws_db_parameter_group.this[each.key].name

  storage_type          = "gp3"
  allocated_storage     = each.value.storage_gib
  max_allocated_storage = each.value.storage_gib * 4
  storage_encrypted     = true
  kms_key_id            = var.keys.data

  db_subnet_group_name   = aws_db_subnet_group.this[0].name
  vpc_security_group_ids = [aws_security_group.postgres[0].id]
  publicly_accessible    = false

  backup_retention_period   = local.with_backup ? var.backup.point_in_time_days : 0
  backup_window             = local.with_backup ? format("%02d:00-%02d:59", var.backup.start_hour, var.backup.start_hour) : null
  maintenance_window        = "sun:05:00-sun:06:00"
  copy_tags_to_snapshot     = true
  deletion_protection       = var.protected
  skip_final_snapshot       = !var.protected
  final_snapshot_identifier = var.protected ? "${var.name}-${each.key}-last" : null

  auto_minor_version_upgrade      = true
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.database_monitoring[0].arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.keys.data
  enabled_cloudwatch_logs_exports = local.postgres_logs

  # RDS would make the groups itself, without end and without a key.
  depends_on = [aws_cloudwatch_log_group.postgres]
}

resource "aws_db_parameter_group" "this" {
  for_each = var.postgres

  name   = "${var.name}-${each.key}-${each.value.major_version}"
  family = "postgres${each.value.major_version}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000" # milliseconds
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_subnet_group" "this" {
  count = local.with_postgres ? 1 : 0

  name       = var.name
  subnet_ids = var.network.subnet_ids
}

resource "aws_security_group" "postgres" {
  count = local.with_postgres ? 1 : 0

  name        = "${var.name}-postgres"
  description = "PostgreSQL: connections from the cluster"
  vpc_id      = var.network.vpc_id
  tags        = { Name = "${var.name}-postgres" }
}

resource "aws_vpc_security_group_ingress_rule" "postgres" {
  count = local.with_postgres ? 1 : 0

  security_group_id            = aws_security_group.postgres[0].id
  description                  = "Pods and nodes of the cluster"
  referenced_security_group_id = var.network.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_cloudwatch_log_group" "postgres" {
  for_each = toset([for pair in setproduct(keys(var.postgres), local.postgres_logs) : join("/", pair)])

  name              = "/aws/rds/instance/${var.name}-${each.value}"
  retention_in_days = var.log_days
  kms_key_id        = var.keys.logs
}

resource "aws_iam_role" "database_monitoring" {
  count = local.with_postgres ? 1 : 0

  name        = "${var.name}-database-monitoring"
  description = "RDS: writes the metrics of the machine below a database"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "database_monitoring" {
  count = local.with_postgres ? 1 : 0

  role       = aws_iam_role.database_monitoring[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
