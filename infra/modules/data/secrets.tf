# Names only: a flow generates the values, or tells a person how to supply them.
resource "aws_secretsmanager_secret" "this" {
  for_each = var.secrets

  name                    = "${var.names.secret_prefix}/${each.value}"
  kms_key_id              = var.keys.data
  recovery_window_in_days = var.protected ? 30 : 0
}
