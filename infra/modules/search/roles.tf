# The two roles that belong to the domain.

# The flow that maps IAM roles to roles of the domain takes this role; the master user of a domain must be one principal.
resource "aws_iam_role" "administrator" {
  name        = "${var.name}-search-administrator"
  description = "Master user of the search domain: maps IAM roles to its roles"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.administrators }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "administrator" {
  name = "administer-search"
  role = aws_iam_role.administrator.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut", "es:ESHttpPatch", "es:ESHttpDelete"]
        Resource = "${local.domain_arn}/*"
      }],
      [for role in aws_iam_role.snapshots : {
        Effect   = "Allow"
        Action   = ["iam:PassRole"]
        Resource = role.arn
      }],
    )
  })
}

# What OpenSearch takes to write snapshots that outlive the domain.
resource "aws_iam_role" "snapshots" {
  count = var.snapshots != null ? 1 : 0

  name        = "${var.name}-search-snapshots"
  description = "OpenSearch: writes and reads snapshots in their bucket"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "es.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = local.domain_arn }
      }
    }]
  })
}

resource "aws_iam_role_policy" "snapshots" {
  count = var.snapshots != null ? 1 : 0

  name = "snapshots"
  role = aws_iam_role.snapshots[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = var.snapshots.bucket_arn
      },
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = "${var.snapshots.bucket_arn}/*"
      },
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.keys.data
      },
    ]
  })
}
