# The four roles that people (and the machines that act for them) take on, and what each may do in Kubernetes.

locals {
  cluster_arn = "arn:${var.partition}:eks:${var.region}:${var.account_id}:cluster/${var.names.cluster}"

  # An access policy covers the kinds that Kubernetes brings; for kinds of installed charts, charts bind the group.
  kubernetes = {
    cluster_admin = { group = "cluster-admins", policy = "AmazonEKSClusterAdminPolicy" }
    admin         = { group = "admins", policy = "AmazonEKSAdminPolicy" }
    editor        = { group = "editors", policy = "AmazonEKSEditPolicy" }
    reader        = { group = "readers", policy = "AmazonEKSViewPolicy" }
  }
}

resource "aws_iam_role" "person" {
  for_each = var.roles

  name                 = "${var.name}-${replace(each.key, "_", "-")}"
  description          = "For people: ${replace(each.key, "_", " ")} of the cluster ${var.names.cluster}"
  max_session_duration = each.value.session_hours * 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Principal = { AWS = each.value.principals }
        Action    = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
      },
      each.value.require_mfa ? { Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } } } : {},
    )]
  })
}

resource "aws_iam_role_policy" "person" {
  for_each = var.roles

  name = "reach-the-cluster"
  role = aws_iam_role.person[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReachTheCluster"
      Effect   = "Allow"
      Action   = ["eks:DescribeCluster", "eks:AccessKubernetesApi"]
      Resource = local.cluster_arn
    }]
  })
}
