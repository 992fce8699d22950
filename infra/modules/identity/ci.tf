# GitHub workflows get a role for the length of a job: no key of the account is ever stored outside it.

locals {
  github_issuer       = "token.actions.githubusercontent.com"
  github_provider_arn = "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${local.github_issuer}"
}

# An account has room for one provider of an issuer: where another team made it, the file says create_provider = false.
resource "aws_iam_openid_connect_provider" "github" {
  count = try(var.ci.create_provider, false) ? 1 : 0

  url            = "https://${local.github_issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "ci" {
  count = var.ci == null ? 0 : 1

  name        = "${var.name}-ci"
  description = "For the GitHub workflows of ${var.ci.repository}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.github_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github_issuer}:aud" = "sts.amazonaws.com"
          "${local.github_issuer}:sub" = [for subject in var.ci.subjects : "repo:${var.ci.repository}:${subject}"]
        }
      }
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "ci" {
  count = var.ci == null ? 0 : 1

  name = "push-images"
  role = aws_iam_role.ci[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Cannot be limited to a repository: the token says who asks, not what for.
        Sid      = "SignInToTheRegistry"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Sid    = "PushImages"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        ]
        Resource = "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${var.names.repository_prefix}/*"
      },
    ]
  })
}
