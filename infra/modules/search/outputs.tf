output "domain" {
  description = "The name of the domain."
  value       = aws_opensearch_domain.this.domain_name
}

output "arn" {
  description = "The ARN of the domain."
  value       = aws_opensearch_domain.this.arn
}

output "endpoint" {
  description = "Where the domain answers."
  value       = "https://${aws_opensearch_domain.this.endpoint}"
}

output "administrator_role_arn" {
  description = "The master user of the domain."
  value       = aws_iam_role.administrator.arn
}

output "snapshot_role_arn" {
  description = "The role that snapshots of the domain are written with; null without backups."
  value       = one(aws_iam_role.snapshots[*].arn)
}
