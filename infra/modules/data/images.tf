# Our images, and a cache of other people's: nodes pull nothing from the internet.

resource "aws_ecr_repository" "this" {
  for_each = toset(var.images.repositories)

  name                 = "${var.names.repository_prefix}/${each.value}"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.keys.data
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the newest ${var.images.kept}"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.images.kept }
      action       = { type = "expire" }
    }]
  })
}

# Holds for the whole registry of the account, so for cached images too.
resource "aws_ecr_registry_scanning_configuration" "this" {
  scan_type = "BASIC"

  rule {
    scan_frequency = "SCAN_ON_PUSH"
    repository_filter {
      filter      = "*"
      filter_type = "WILDCARD"
    }
  }
}

locals {
  cached             = var.images.pull_through
  cached_with_secret = { for prefix, cache in local.cached : prefix => cache.credentials_secret if cache.credentials_secret != null }
}

# A person makes it beforehand: ECR tries the credentials when the rule is made.
data "aws_secretsmanager_secret" "registry" {
  for_each = local.cached_with_secret

  name = each.value
}

resource "aws_ecr_pull_through_cache_rule" "this" {
  for_each = local.cached

  ecr_repository_prefix = each.key
  upstream_registry_url = each.value.registry
  credential_arn        = each.value.credentials_secret == null ? null : data.aws_secretsmanager_secret.registry[each.key].arn
}

resource "aws_ecr_repository_creation_template" "cached" {
  for_each = local.cached

  prefix               = each.key
  description          = "Cached images of ${each.value.registry}"
  applied_for          = ["PULL_THROUGH_CACHE"]
  image_tag_mutability = "IMMUTABLE"
  custom_role_arn      = aws_iam_role.image_cache[0].arn
  resource_tags        = var.tags

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.keys.data
  }

  lifecycle_policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the newest ${var.images.kept}"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.images.kept }
      action       = { type = "expire" }
    }]
  })
}

# ECR makes the repositories of cached images; with a key of ours it needs a role to do so.
resource "aws_iam_role" "image_cache" {
  count = length(local.cached) > 0 ? 1 : 0

  name        = "${var.name}-image-cache"
  description = "ECR: makes the repositories of cached images"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecr.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "image_cache" {
  count = length(local.cached) > 0 ? 1 : 0

  name = "create-repositories"
  role = aws_iam_role.image_cache[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"]
        Resource = [for prefix in keys(local.cached) : "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${prefix}/*"]
      },
      {
        Effect   = "Allow"
        Action   = ["kms:CreateGrant", "kms:RetireGrant", "kms:DescribeKey"]
        Resource = var.keys.data
      },
    ]
  })
}
