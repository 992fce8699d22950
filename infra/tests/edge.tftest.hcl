# Name, sign-in and access logs: what each part of the section makes.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mock" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-3333-4444-555555555555"
      domain_validation_options = [{
        domain_name           = "assistant.example.com"
        resource_record_name  = "_a.assistant.example.com"
        resource_record_type  = "CNAME"
        resource_record_value = "_b.acm-validations.aws"
      }]
    }
  }
  mock_resource "aws_cognito_user_pool" {
    defaults = { arn = "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_mock" }
  }
}

variables {
  name            = "test"
  partition       = "aws"
  region          = "us-east-1"
  account_id      = "111122223333"
  protected       = false
  access_log_days = 90
  web_acl_arn     = "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/mock/11111111-2222-3333-4444-555555555555"
}

run "a_name_in_a_zone_and_accounts_of_our_own" {
  command = plan
  module {
    source = "./modules/edge"
  }
  variables {
    protected = true
    domain    = { name = "assistant.example.com", zone_id = "Z0123456789ABCDEFGHIJ" }
    sign_in   = { kind = "cognito", mfa = "required" }
  }

  assert {
    condition     = length(aws_route53_zone.this) == 0 && length(aws_acm_certificate_validation.this) == 1 && output.domain.name_servers == null
    error_message = "In a zone that exists the certificate must be waited for."
  }
  assert {
    condition     = aws_cognito_user_pool.this[0].mfa_configuration == "ON" && aws_cognito_user_pool.this[0].deletion_protection == "ACTIVE" && aws_cognito_user_pool.this[0].admin_create_user_config[0].allow_admin_create_user_only
    error_message = "Accounts must be made by an administrator, with a second factor, and not be deleted by accident."
  }
  assert {
    condition     = aws_cognito_user_pool_client.load_balancer[0].callback_urls == toset(["https://assistant.example.com/oauth2/idpresponse"]) && output.sign_in.cognito.user_pool_arn == aws_cognito_user_pool.this[0].arn
    error_message = "People must come back to the load balancer."
  }
  assert {
    condition     = aws_wafv2_web_acl_association.sign_in[0].web_acl_arn == var.web_acl_arn
    error_message = "The sign-in must be behind the firewall too."
  }
}

run "a_name_in_a_zone_made_here_and_a_provider_elsewhere" {
  command = plan
  module {
    source = "./modules/edge"
  }
  variables {
    domain = { name = "assistant.example.com" }
    sign_in = {
      kind                   = "oidc"
      issuer                 = "https://id.example.com"
      authorization_endpoint = "https://id.example.com/authorize"
      token_endpoint         = "https://id.example.com/token"
      user_info_endpoint     = "https://id.example.com/user"
      client_id              = "the-load-balancer"
      client_secret          = "sign-in"
    }
  }

  assert {
    condition     = length(aws_route53_zone.this) == 1 && length(aws_acm_certificate_validation.this) == 0 && output.domain.certificate_arn != null
    error_message = "Nobody has delegated to a new zone yet: the certificate must not be waited for."
  }
  assert {
    condition     = length(aws_cognito_user_pool.this) == 0 && output.sign_in.cognito == null && output.sign_in.oidc.client_secret == "sign-in" && output.sign_in.oidc.client_id == "the-load-balancer"
    error_message = "A provider elsewhere needs no accounts here."
  }
}

run "only_access_logs" {
  command = plan
  module {
    source = "./modules/edge"
  }

  assert {
    condition     = output.domain == null && output.sign_in == null && length(aws_acm_certificate.this) == 0
    error_message = "Neither a name nor a sign-in was asked for."
  }
  assert {
    condition = (
      aws_s3_bucket_public_access_block.access_logs.restrict_public_buckets && aws_s3_bucket_versioning.access_logs.versioning_configuration[0].status == "Enabled" &&
      one(aws_s3_bucket_lifecycle_configuration.access_logs.rule).expiration[0].days == 90
    )
    error_message = "Access logs must be private, and kept as long as the file says."
  }
}
