# What the AWS Load Balancer Controller's published policy grants
# (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/), held to this account and
# region, and to what carries this cluster's tag.

locals {
  elb_arn         = "arn:${var.partition}:elasticloadbalancing:${var.region}:${var.account_id}"
  balancer_arns   = ["${local.elb_arn}:loadbalancer/app/*", "${local.elb_arn}:loadbalancer/net/*", "${local.elb_arn}:targetgroup/*"]
  listener_arns   = [for kind in ["listener/app", "listener/net", "listener-rule/app", "listener-rule/net"] : "${local.elb_arn}:${kind}/*"]
  security_groups = "${local.own_ec2_arn}:security-group/*"
  made_for_us     = { StringEquals = { "aws:ResourceTag/elbv2.k8s.aws/cluster" = var.names.cluster } }
  making_for_us   = { StringEquals = { "aws:RequestTag/elbv2.k8s.aws/cluster" = var.names.cluster } }

  load_balancer_statements = [
    {
      Sid    = "See"
      Effect = "Allow"
      Action = [
        "ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones", "ec2:DescribeInternetGateways",
        "ec2:DescribeVpcs", "ec2:DescribeVpcPeeringConnections", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
        "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeTags", "ec2:DescribeRouteTables",
        "ec2:DescribeIpamPools", "ec2:GetSecurityGroupsForVpc", "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeListenerAttributes", "elasticloadbalancing:DescribeListenerCertificates",
        "elasticloadbalancing:DescribeSSLPolicies", "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTrustStores", "elasticloadbalancing:DescribeCapacityReservation",
        "acm:ListCertificates", "acm:DescribeCertificate", "cognito-idp:DescribeUserPoolClient",
      ]
      Resource = "*"
    },
    {
      Sid    = "AttachTheWebAcl"
      Effect = "Allow"
      Action = ["wafv2:GetWebACL", "wafv2:GetWebACLForResource", "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "elasticloadbalancing:SetWebAcl"]
      Resource = concat(
        ["arn:${var.partition}:wafv2:${var.region}:${var.account_id}:regional/webacl/${var.name}*"],
        ["${local.elb_arn}:loadbalancer/app/*"],
      )
    },
    {
      # The rules that let a load balancer reach the nodes go into the cluster's own group, which does not carry the tag.
      Sid       = "OpenNodesToBalancers"
      Effect    = "Allow"
      Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
      Resource  = local.security_groups
      Condition = { StringEquals = { "aws:ResourceTag/${local.owned_tag}" = "owned" } }
    },
    {
      Sid      = "CreateSecurityGroupsIn"
      Effect   = "Allow"
      Action   = ["ec2:CreateSecurityGroup"]
      Resource = "${local.own_ec2_arn}:vpc/*"
    },
    {
      Sid       = "CreateSecurityGroups"
      Effect    = "Allow"
      Action    = ["ec2:CreateSecurityGroup"]
      Resource  = local.security_groups
      Condition = local.making_for_us
    },
    {
      Sid       = "TagNewSecurityGroups"
      Effect    = "Allow"
      Action    = ["ec2:CreateTags"]
      Resource  = local.security_groups
      Condition = { StringEquals = merge(local.making_for_us.StringEquals, { "ec2:CreateAction" = "CreateSecurityGroup" }) }
    },
    {
      Sid       = "ChangeOwnSecurityGroups"
      Effect    = "Allow"
      Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup", "ec2:CreateTags", "ec2:DeleteTags"]
      Resource  = local.security_groups
      Condition = local.made_for_us
    },
    {
      Sid       = "CreateBalancers"
      Effect    = "Allow"
      Action    = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup", "elasticloadbalancing:AddTags"]
      Resource  = local.balancer_arns
      Condition = local.making_for_us
    },
    {
      Sid    = "ChangeOwnBalancers"
      Effect = "Allow"
      Action = [
        "elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags", "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyCapacityReservation", "elasticloadbalancing:ModifyIpPools", "elasticloadbalancing:SetIpAddressType",
        "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets", "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets",
        "elasticloadbalancing:CreateListener",
      ]
      Resource  = local.balancer_arns
      Condition = local.made_for_us
    },
    {
      Sid    = "ChangeListeners"
      Effect = "Allow"
      Action = [
        "elasticloadbalancing:CreateRule", "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteRule",
        "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:ModifyRule",
        "elasticloadbalancing:SetRulePriorities", "elasticloadbalancing:AddListenerCertificates",
        "elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags",
      ]
      Resource = local.listener_arns
    },
    {
      Sid       = "CreateTheServiceLinkedRole"
      Effect    = "Allow"
      Action    = ["iam:CreateServiceLinkedRole"]
      Resource  = "arn:${var.partition}:iam::${var.account_id}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*"
      Condition = { StringEquals = { "iam:AWSServiceName" = "elasticloadbalancing.amazonaws.com" } }
    },
  ]
}
