provider "aws" {
  region              = local.region
  allowed_account_ids = local.on_aws ? [local.account_id] : null

  # `local` has no AWS resources: nothing is asked of AWS, and no credentials are needed.
  access_key                  = local.on_aws ? null : "none"
  secret_key                  = local.on_aws ? null : "none"
  skip_credentials_validation = !local.on_aws
  skip_metadata_api_check     = !local.on_aws
  skip_requesting_account_id  = !local.on_aws

  default_tags {
    tags = local.tags
  }
}
