# The roles of the cluster's own parts. Nodes may register and pull images; what pods may do, pods have roles for.

locals {
  managed_policies = {
    cluster        = ["AmazonEKSClusterPolicy"]
    system-node    = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore"]
    karpenter-node = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore"]
    vpc-cni        = ["AmazonEKS_CNI_Policy"]
    ebs-csi        = ["service-role/AmazonEBSCSIDriverPolicy"]
  }

  trusted_service = {
    cluster        = "eks.amazonaws.com"
    system-node    = "ec2.amazonaws.com"
    karpenter-node = "ec2.amazonaws.com"
    vpc-cni        = "pods.eks.amazonaws.com"
    ebs-csi        = "pods.eks.amazonaws.com"
  }

  attachments = merge([
    for role, policies in local.managed_policies : { for policy in policies : "${role}/${basename(policy)}" => { role = role, policy = policy } }
  ]...)
}

resource "aws_iam_role" "service" {
  for_each = local.trusted_service

  name        = "${var.name}-${each.key}"
  description = "For ${each.key} of the EKS cluster ${var.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Principal = { Service = each.value }
        Action    = each.value == "ec2.amazonaws.com" ? ["sts:AssumeRole"] : ["sts:AssumeRole", "sts:TagSession"]
      },
      # EC2 sends no source account when it hands a role to an instance.
      each.value == "ec2.amazonaws.com" ? {} : { Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } } },
    )]
  })
}

resource "aws_iam_role_policy_attachment" "service" {
  for_each = local.attachments

  role       = aws_iam_role.service[each.value.role].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/${each.value.policy}"
}

resource "aws_iam_role_policy" "encrypt_secrets" {
  name = "encrypt-secrets"
  role = aws_iam_role.service["cluster"].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "EncryptSecrets"
      Effect   = "Allow"
      Action   = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:ListGrants"]
      Resource = var.secrets_key_arn
    }]
  })
}

# The first pull of a cached image makes its repository, in the name of the node that pulls.
resource "aws_iam_role_policy" "cache_images" {
  for_each = toset(length(var.cached_repository_arns) > 0 ? ["system-node", "karpenter-node"] : [])

  name = "cache-images"
  role = aws_iam_role.service[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "CacheImages"
      Effect   = "Allow"
      Action   = ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"]
      Resource = var.cached_repository_arns
    }]
  })
}
