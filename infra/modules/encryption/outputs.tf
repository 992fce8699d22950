output "key_arns" {
  description = "The keys by what they encrypt: kubernetes-secrets, logs, data."
  value       = { for purpose, key in aws_kms_key.this : purpose => key.arn }
}
