# The add-ons that AWS keeps; each pinned, because EKS would otherwise take its default of the day.

locals {
  tolerates_system_nodes = [
    { key = "CriticalAddonsOnly", operator = "Exists" },
    { key = "node-role.kubernetes.io/control-plane", effect = "NoSchedule" },
  ]
  on_system_nodes = { nodeSelector = { "agentic-eks/pool" = "system" }, tolerations = local.tolerates_system_nodes }

  # Without these a node never becomes ready, so they come first.
  before_nodes = ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"]

  addon_configuration = {
    # A prefix of 16 addresses at a time: 110 pods on a small node instead of 29.
    vpc-cni = {
      env                 = { ENABLE_PREFIX_DELEGATION = "true", WARM_PREFIX_TARGET = "1" }
      enableNetworkPolicy = "true"
    }
    coredns = merge(local.on_system_nodes, {
      replicaCount = 2
      topologySpreadConstraints = [{
        maxSkew           = 1
        topologyKey       = "topology.kubernetes.io/zone"
        whenUnsatisfiable = "ScheduleAnyway"
        labelSelector     = { matchLabels = { "k8s-app" = "kube-dns" } }
      }]
    })
    aws-ebs-csi-driver = { controller = local.on_system_nodes }
    metrics-server     = local.on_system_nodes
  }

  addon_roles = {
    vpc-cni            = { service_account = "aws-node", role = "vpc-cni" }
    aws-ebs-csi-driver = { service_account = "ebs-csi-controller-sa", role = "ebs-csi" }
  }
}

resource "aws_eks_addon" "before_nodes" {
  for_each = { for name, version in var.addon_versions : name => version if contains(local.before_nodes, name) }

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  addon_version               = each.value
  configuration_values        = try(jsonencode(local.addon_configuration[each.key]), null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  dynamic "pod_identity_association" {
    for_each = try([local.addon_roles[each.key]], [])

    content {
      service_account = pod_identity_association.value.service_account
      role_arn        = aws_iam_role.service[pod_identity_association.value.role].arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.service]
}

resource "aws_eks_addon" "on_nodes" {
  for_each = { for name, version in var.addon_versions : name => version if !contains(local.before_nodes, name) }

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  addon_version               = each.value
  configuration_values        = try(jsonencode(local.addon_configuration[each.key]), null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  dynamic "pod_identity_association" {
    for_each = try([local.addon_roles[each.key]], [])

    content {
      service_account = pod_identity_association.value.service_account
      role_arn        = aws_iam_role.service[pod_identity_association.value.role].arn
    }
  }

  depends_on = [aws_eks_node_group.system]
}
