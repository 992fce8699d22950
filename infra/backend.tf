# Which bucket, key and region is said at `terraform init` with -backend-config: one state for each environment.
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
