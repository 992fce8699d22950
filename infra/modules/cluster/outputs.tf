output "name" {
  description = "The cluster's name."
  value       = aws_eks_cluster.this.name
}

output "arn" {
  description = "The cluster's ARN."
  value       = aws_eks_cluster.this.arn
}

output "endpoint" {
  description = "The address of the Kubernetes API."
  value       = aws_eks_cluster.this.endpoint
}

output "certificate_authority" {
  description = "The certificate of the Kubernetes API, base64."
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "kubernetes_version" {
  description = "The Kubernetes minor of the control plane."
  value       = aws_eks_cluster.this.version
}

output "security_group_id" {
  description = "The group of the control plane and of all nodes."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "addon_versions" {
  description = "The version of every managed add-on."
  value       = { for name, addon in merge(aws_eks_addon.before_nodes, aws_eks_addon.on_nodes) : name => addon.addon_version }
}

output "karpenter" {
  description = "What Karpenter works with: its interruption queue, and the role and instance profile of its nodes."
  value = {
    queue_name            = aws_sqs_queue.interruptions.name
    queue_arn             = aws_sqs_queue.interruptions.arn
    node_role_arn         = aws_iam_role.service["karpenter-node"].arn
    instance_profile_name = aws_iam_instance_profile.karpenter_node.name
    instance_profile_arn  = aws_iam_instance_profile.karpenter_node.arn
    discovery_tag         = { key = "karpenter.sh/discovery", value = var.name }
  }
}
