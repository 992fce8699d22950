# What the stages after `provision` need to know. Null for `local`.

output "name" {
  description = "What the names of the environment's things start with."
  value       = local.on_aws ? local.name : null
}

output "region" {
  description = "The region of the environment."
  value       = var.environment.region
}

output "encryption" {
  description = "The KMS keys."
  value       = one(module.encryption)
}

output "network" {
  description = "The VPC, its subnets, and the addresses its traffic comes from."
  value       = one(module.network)
}

output "identity" {
  description = "The roles of people, pods and continuous integration."
  value       = one(module.identity)
}

output "cluster" {
  description = "The EKS cluster, and what Karpenter works with."
  value       = one(module.cluster)
}

output "observability" {
  description = "Where metrics, alerts and the logs of pods are."
  value = local.on_aws ? {
    metrics          = module.observability[0].metrics
    alerts_topic_arn = module.observability[0].alerts_topic_arn
    pod_log_groups   = module.observability[0].pod_log_groups
  } : null
}

output "grafana" {
  description = "The Grafana workspace: id, address and the service account that writes dashboards; null without one."
  value       = local.on_aws ? module.observability[0].grafana : null
}

output "data" {
  description = "Buckets, image repositories, secrets and databases."
  value = local.on_aws ? {
    buckets      = module.data[0].buckets
    repositories = module.data[0].repositories
    pull_through = module.data[0].pull_through
    secrets      = module.data[0].secrets
    postgres     = module.data[0].postgres
    backup_vault = module.data[0].backup_vault
  } : null
}

output "valkey" {
  description = "The Valkey cache of each client, and its user there."
  value       = local.on_aws ? module.data[0].valkey : null
}

output "search" {
  description = "The search domain: name, ARN, endpoint, its master user, and the role that its snapshots are written with."
  value       = one(module.search)
}

output "firewall" {
  description = "The web ACL of the load balancer in front of the agents."
  value       = one(module.firewall)
}

output "edge" {
  description = "What else that load balancer needs: name, certificate, sign-in, access logs."
  value       = one(module.edge)
}
