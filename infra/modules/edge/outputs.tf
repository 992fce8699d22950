output "access_log_bucket" {
  description = "The bucket of access logs; load balancers write below load-balancers/."
  value       = aws_s3_bucket.access_logs.id

  # Nothing logs there before it may.
  depends_on = [aws_s3_bucket_policy.access_logs]
}

output "domain" {
  description = "The name, its zone and certificate, and the name servers to delegate to where the zone is made here; null without a domain."
  value = local.with_domain ? {
    name            = var.domain.name
    zone_id         = local.zone_id
    certificate_arn = local.makes_zone ? aws_acm_certificate.this[0].arn : aws_acm_certificate_validation.this[0].certificate_arn
    name_servers    = local.makes_zone ? aws_route53_zone.this[0].name_servers : null
  } : null
}

output "sign_in" {
  description = "What the load balancer needs to ask for a sign-in; null where nobody need."
  value = var.sign_in == null ? null : {
    kind = var.sign_in.kind
    cognito = local.with_cognito ? {
      user_pool_arn = aws_cognito_user_pool.this[0].arn
      client_id     = aws_cognito_user_pool_client.load_balancer[0].id
      domain        = aws_cognito_user_pool_domain.this[0].domain
    } : null
    oidc = local.with_cognito ? null : {
      issuer                 = var.sign_in.issuer
      authorization_endpoint = var.sign_in.authorization_endpoint
      token_endpoint         = var.sign_in.token_endpoint
      user_info_endpoint     = var.sign_in.user_info_endpoint
      client_id              = var.sign_in.client_id
      client_secret          = var.sign_in.client_secret
    }
  }
}
