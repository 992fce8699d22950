# A few Graviton nodes for what must run before Karpenter can: everything else Karpenter brings nodes for.

resource "aws_launch_template" "system" {
  name                   = "${var.name}-system"
  description            = "System nodes of the EKS cluster ${var.name}"
  update_default_version = true

  # Bottlerocket: its own read-only disk, and one for images and containers.
  block_device_mappings {
    device_name = "/dev/xvdb"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.system_nodes.disk_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  # A hop limit of 1 keeps pods from the node's credentials.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  # The provider's default tags reach the template, but nothing that is launched from it.
  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = merge(var.tags, { Name = "${var.name}-system" })
    }
  }
}

resource "aws_eks_node_group" "system" {
  cluster_name         = aws_eks_cluster.this.name
  node_group_name      = "system"
  version              = aws_eks_cluster.this.version # EKS would leave the nodes behind
  node_role_arn        = aws_iam_role.service["system-node"].arn
  subnet_ids           = values(var.subnet_ids.private)
  ami_type             = "BOTTLEROCKET_ARM_64"
  capacity_type        = "ON_DEMAND"
  instance_types       = var.system_nodes.instance_types
  labels               = { "agentic-eks/pool" = "system" }
  force_update_version = false

  launch_template {
    id      = aws_launch_template.system.id
    version = aws_launch_template.system.latest_version
  }

  scaling_config {
    desired_size = var.system_nodes.minimum
    min_size     = var.system_nodes.minimum
    max_size     = var.system_nodes.maximum
  }

  taint {
    key    = "CriticalAddonsOnly"
    value  = "true"
    effect = "NO_SCHEDULE"
  }

  update_config {
    max_unavailable = 1
  }

  node_repair_config {
    enabled = true
  }

  depends_on = [aws_iam_role_policy_attachment.service, aws_eks_addon.before_nodes]

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }
}
