output "access_entries" {
  description = "For the cluster: what each role for people may do in Kubernetes, and where (no namespace: everywhere)."
  value = {
    for name, role in var.roles : name => {
      principal_arn = aws_iam_role.person[name].arn
      group         = local.kubernetes[name].group
      policy        = local.kubernetes[name].policy
      namespaces    = role.namespaces
    }
  }
}

output "role_arns" {
  description = "The roles for people, by name."
  value       = { for name, role in aws_iam_role.person : name => role.arn }
}

output "pod_identities" {
  description = "The service account of each workload that calls AWS, and its role."
  value = {
    for name, workload in local.workloads : name => {
      namespace       = workload.namespace
      service_account = workload.service_account
      role_arn        = aws_iam_role.pod[name].arn
    }
  }
}

output "ci_role_arn" {
  description = "The role of the GitHub workflows; null when the file has no access.ci."
  value       = one(aws_iam_role.ci[*].arn)
}
