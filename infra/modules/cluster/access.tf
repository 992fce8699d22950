# Who may do what in Kubernetes. There is no aws-auth ConfigMap, and whoever made the cluster has no rights in it.

resource "aws_eks_access_entry" "person" {
  for_each = var.access_entries

  cluster_name      = aws_eks_cluster.this.name
  principal_arn     = each.value.principal_arn
  kubernetes_groups = [each.value.group]
  type              = "STANDARD"
}

resource "aws_eks_access_policy_association" "person" {
  for_each = var.access_entries

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.person[each.key].principal_arn
  policy_arn    = "arn:${var.partition}:eks::aws:cluster-access-policy/${each.value.policy}"

  access_scope {
    type       = length(each.value.namespaces) > 0 ? "namespace" : "cluster"
    namespaces = length(each.value.namespaces) > 0 ? each.value.namespaces : null
  }
}

# EKS makes the entry of the managed node group itself, but not that of nodes which Karpenter launches.
resource "aws_eks_access_entry" "karpenter_node" {
  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_iam_role.service["karpenter-node"].arn
  type          = "EC2_LINUX"
}

resource "aws_eks_pod_identity_association" "workload" {
  for_each = var.pod_identities

  cluster_name    = aws_eks_cluster.this.name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = each.value.role_arn
}
