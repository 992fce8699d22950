# The name people type and its certificate.

locals {
  with_domain = var.domain != null
  makes_zone  = local.with_domain && try(var.domain.zone_id, null) == null
  zone_id     = local.makes_zone ? aws_route53_zone.this[0].zone_id : try(var.domain.zone_id, null)
}

# A person delegates to it: its name servers are in the outputs.
resource "aws_route53_zone" "this" {
  count = local.makes_zone ? 1 : 0

  name    = var.domain.name
  comment = var.name
}

resource "aws_acm_certificate" "this" {
  count = local.with_domain ? 1 : 0

  domain_name       = var.domain.name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  count = local.with_domain ? 1 : 0

  zone_id         = local.zone_id
  name            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.this[0].domain_validation_options).resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

# Not waited for in a zone made here: nobody can have delegated to it yet, and an apply would hang until its time limit.
resource "aws_acm_certificate_validation" "this" {
  count = local.with_domain && !local.makes_zone ? 1 : 0

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [aws_route53_record.validation[0].fqdn]
}
