output "web_acl_arn" {
  description = "The web ACL that the load balancer is to have."
  value       = aws_wafv2_web_acl.this.arn
}
