# Accounts of people, kept by Cognito, where no identity provider exists. The load balancer asks for the sign-in.

locals {
  with_cognito = try(var.sign_in.kind, "none") == "cognito"
}

resource "aws_cognito_user_pool" "this" {
  count = local.with_cognito ? 1 : 0

  name                     = var.name
  user_pool_tier           = "PLUS" # threat protection
  deletion_protection      = var.protected ? "ACTIVE" : "INACTIVE"
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = var.sign_in.mfa == "required" ? "ON" : "OPTIONAL"

  username_configuration {
    case_sensitive = false
  }

  software_token_mfa_configuration {
    enabled = true
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_uppercase                = true
    require_numbers                  = true
    require_symbols                  = true
    temporary_password_validity_days = 3
  }

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  user_pool_add_ons {
    advanced_security_mode = "ENFORCED"
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  count = local.with_cognito ? 1 : 0

  domain       = "${var.name}-${var.account_id}"
  user_pool_id = aws_cognito_user_pool.this[0].id
}

# The secret stays between Cognito and the load balancer, which reads it by itself.
resource "aws_cognito_user_pool_client" "load_balancer" {
  count = local.with_cognito ? 1 : 0

  name                                 = "load-balancer"
  user_pool_id                         = aws_cognito_user_pool.this[0].id
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "email", "profile"]
  supported_identity_providers         = ["COGNITO"]
  callback_urls                        = ["https://${var.domain.name}/oauth2/idpresponse"]
  logout_urls                          = ["https://${var.domain.name}/"]
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
}

resource "aws_wafv2_web_acl_association" "sign_in" {
  count = local.with_cognito ? 1 : 0

  resource_arn = aws_cognito_user_pool.this[0].arn
  web_acl_arn  = var.web_acl_arn
}
