# What Karpenter's published policy grants (https://karpenter.sh/docs/reference/cloudformation/), less what it needs to
# make instance profiles: ours exists already, and its node class names it.

locals {
  ec2_arn       = "arn:${var.partition}:ec2:${var.region}"
  own_ec2_arn   = "${local.ec2_arn}:${var.account_id}"
  owned_tag     = "kubernetes.io/cluster/${var.names.cluster}"
  launched_arns = [for kind in ["fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request"] : "${local.own_ec2_arn}:${kind}/*"]

  requested_as_owned = {
    StringEquals = { "aws:RequestTag/${local.owned_tag}" = "owned", "aws:RequestTag/eks:eks-cluster-name" = var.names.cluster }
    StringLike   = { "aws:RequestTag/karpenter.sh/nodepool" = "*" }
  }
  already_owned = {
    StringEquals = { "aws:ResourceTag/${local.owned_tag}" = "owned" }
    StringLike   = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" }
  }

  karpenter_statements = [
    {
      Sid    = "LaunchFrom"
      Effect = "Allow"
      Action = ["ec2:RunInstances", "ec2:CreateFleet"]
      Resource = concat(
        ["${local.ec2_arn}::image/*", "${local.ec2_arn}::snapshot/*"],
        [for kind in ["security-group", "subnet", "capacity-reservation"] : "${local.own_ec2_arn}:${kind}/*"],
      )
    },
    {
      Sid       = "LaunchByOwnTemplates"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances", "ec2:CreateFleet"]
      Resource  = "${local.own_ec2_arn}:launch-template/*"
      Condition = local.already_owned
    },
    {
      Sid       = "LaunchTagged"
      Effect    = "Allow"
      Action    = ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"]
      Resource  = local.launched_arns
      Condition = local.requested_as_owned
    },
    {
      Sid      = "TagAtLaunch"
      Effect   = "Allow"
      Action   = ["ec2:CreateTags"]
      Resource = local.launched_arns
      Condition = merge(local.requested_as_owned, {
        StringEquals = merge(local.requested_as_owned.StringEquals, { "ec2:CreateAction" = ["RunInstances", "CreateFleet", "CreateLaunchTemplate"] })
      })
    },
    {
      Sid      = "NameOwnInstances"
      Effect   = "Allow"
      Action   = ["ec2:CreateTags"]
      Resource = "${local.own_ec2_arn}:instance/*"
      Condition = merge(local.already_owned, {
        StringEqualsIfExists        = { "aws:RequestTag/eks:eks-cluster-name" = var.names.cluster }
        "ForAllValues:StringEquals" = { "aws:TagKeys" = ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"] }
      })
    },
    {
      Sid       = "RemoveOwn"
      Effect    = "Allow"
      Action    = ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"]
      Resource  = ["${local.own_ec2_arn}:instance/*", "${local.own_ec2_arn}:launch-template/*"]
      Condition = local.already_owned
    },
    {
      Sid    = "SeeCapacity"
      Effect = "Allow"
      Action = [
        "ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplates",
        "ec2:DescribeSecurityGroups", "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets",
      ]
      Resource  = "*"
      Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
    },
    {
      Sid      = "FindImages"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter"]
      Resource = "arn:${var.partition}:ssm:${var.region}::parameter/aws/service/*"
    },
    {
      Sid      = "SeePricesAndProfiles"
      Effect   = "Allow"
      Action   = ["pricing:GetProducts", "iam:ListInstanceProfiles"]
      Resource = "*"
    },
    {
      Sid      = "HearInterruptions"
      Effect   = "Allow"
      Action   = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
      Resource = var.karpenter.queue_arn
    },
    {
      Sid       = "GiveNodesTheirRole"
      Effect    = "Allow"
      Action    = ["iam:PassRole"]
      Resource  = var.karpenter.node_role_arn
      Condition = { StringEquals = { "iam:PassedToService" = ["ec2.amazonaws.com"] } }
    },
    {
      Sid      = "SeeTheInstanceProfile"
      Effect   = "Allow"
      Action   = ["iam:GetInstanceProfile"]
      Resource = var.karpenter.instance_profile_arn
    },
    {
      Sid      = "FindTheApi"
      Effect   = "Allow"
      Action   = ["eks:DescribeCluster"]
      Resource = local.cluster_arn
    },
  ]
}
