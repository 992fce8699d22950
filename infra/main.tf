# One environment on AWS. For `local` every module has count 0: nothing is planned, every output is null.

locals {
  on_aws     = var.environment.name != "local"
  name       = "agentic-eks-${var.environment.name}"
  account_id = var.environment.account_id
  region     = coalesce(var.environment.region, "us-east-1")
  partition  = startswith(local.region, "cn-") ? "aws-cn" : startswith(local.region, "us-gov-") ? "aws-us-gov" : "aws"
  tags       = { Project = "agentic-eks", Environment = var.environment.name, ManagedBy = "terraform" }

  # Names that one module gives and another grants access to: decided once, so that no module waits for another.
  names = {
    cluster           = local.name
    knowledge_bucket  = local.knowledge_bucket
    models_bucket     = "${local.name}-models-${coalesce(local.account_id, "none")}"
    results_bucket    = "${local.name}-results-${coalesce(local.account_id, "none")}"
    langfuse_bucket   = local.langfuse_in_cluster ? "${local.name}-langfuse-${coalesce(local.account_id, "none")}" : null
    opensearch_domain = local.name
    repository_prefix = local.name # ECR: <prefix>/<image>
    document_queue    = "${local.name}-documents"
    secret_prefix     = local.name            # Secrets Manager: <prefix>/<secret>
    log_group_prefix  = "/${local.name}/pods" # CloudWatch Logs: <prefix>/<namespace>
  }
}

module "encryption" {
  source = "./modules/encryption"
  count  = local.on_aws ? 1 : 0

  name                 = local.name
  partition            = local.partition
  region               = local.region
  account_id           = local.account_id
  deletion_window_days = var.environment.protected ? 30 : 7
}

module "network" {
  source = "./modules/network"
  count  = local.on_aws ? 1 : 0

  name                = local.name
  partition           = local.partition
  region              = local.region
  account_id          = local.account_id
  cidr                = var.network.cidr
  zones               = var.network.zones
  nat_gateways        = var.network.nat_gateways
  interface_endpoints = var.network.interface_endpoints
  flow_log_days       = var.network.flow_log_days
  log_key_arn         = module.encryption[0].key_arns["logs"]
}

module "identity" {
  source = "./modules/identity"
  count  = local.on_aws ? 1 : 0

  name         = local.name
  partition    = local.partition
  region       = local.region
  account_id   = local.account_id
  names        = local.names
  roles        = var.access.roles
  ci           = var.access.ci
  karpenter    = module.cluster[0].karpenter
  data_key_arn = module.encryption[0].key_arns["data"]

  clients         = { postgres = keys(var.data.postgres), valkey = keys(var.data.valkey) }
  database_ids    = { for client, server in module.data[0].postgres : client => server.resource_id }
  drills_database = try(var.data.backup.database_drill, null) != null
  domain          = try(var.edge.domain.name, null)
  bedrock_models  = compact(values(var.models.catalogue)[*].bedrock_id)
  document_places = [for source in var.knowledge.sources : trimprefix(source.uri, "s3://") if startswith(source.uri, "s3://")]
}

module "cluster" {
  source = "./modules/cluster"
  count  = local.on_aws ? 1 : 0

  name                = local.names.cluster
  partition           = local.partition
  account_id          = local.account_id
  tags                = local.tags
  kubernetes_version  = var.cluster.kubernetes_version
  service_cidr        = var.cluster.service_cidr
  public_access_cidrs = var.cluster.public_access_cidrs
  log_days            = var.cluster.log_days
  system_nodes        = var.cluster.system_nodes
  addon_versions      = merge({ for addon, known in local.known_addons[var.cluster.kubernetes_version] : addon => known[0] }, var.cluster.addon_versions)
  subnet_ids          = module.network[0].subnet_ids
  secrets_key_arn     = module.encryption[0].key_arns["kubernetes-secrets"]
  log_key_arn         = module.encryption[0].key_arns["logs"]
  access_entries      = module.identity[0].access_entries
  pod_identities      = module.identity[0].pod_identities

  cached_repository_arns = [
    for prefix in keys(var.data.images.pull_through) : "arn:${local.partition}:ecr:${local.region}:${local.account_id}:repository/${prefix}/*"
  ]
}

module "observability" {
  source = "./modules/observability"
  count  = local.on_aws ? 1 : 0

  name             = local.name
  partition        = local.partition
  region           = local.region
  account_id       = local.account_id
  cluster          = { arn = module.cluster[0].arn, security_group_id = module.cluster[0].security_group_id }
  network          = { vpc_id = module.network[0].vpc_id, cidr = module.network[0].vpc_cidr, subnet_ids = values(module.network[0].subnet_ids.private) }
  keys             = { logs = module.encryption[0].key_arns["logs"], data = module.encryption[0].key_arns["data"] }
  metrics          = var.observability.metrics
  alerts           = var.observability.alerts
  grafana          = var.observability.grafana
  log_days         = var.observability.log_days
  pod_logs         = var.observability.pod_logs
  log_group_prefix = local.names.log_group_prefix
}

module "firewall" {
  source = "./modules/firewall"
  count  = local.on_aws ? 1 : 0

  name                   = local.name
  partition              = local.partition
  region                 = local.region
  account_id             = local.account_id
  log_key_arn            = module.encryption[0].key_arns["logs"]
  log_days               = var.observability.log_days
  requests_per_5_minutes = var.edge.firewall.requests_per_5_minutes
  largest_request_bytes  = var.edge.firewall.largest_request_bytes
  count_only             = var.edge.firewall.count_only
}

module "edge" {
  source = "./modules/edge"
  count  = local.on_aws ? 1 : 0

  name            = local.name
  partition       = local.partition
  region          = local.region
  account_id      = local.account_id
  protected       = var.environment.protected
  access_log_days = var.edge.access_log_days
  domain          = var.edge.domain
  web_acl_arn     = module.firewall[0].web_acl_arn
  sign_in         = var.edge.sign_in
}

module "data" {
  source = "./modules/data"
  count  = local.on_aws ? 1 : 0

  name       = local.name
  partition  = local.partition
  region     = local.region
  account_id = local.account_id
  tags       = local.tags
  protected  = var.environment.protected
  names      = local.names
  keys       = { logs = module.encryption[0].key_arns["logs"], data = module.encryption[0].key_arns["data"] }
  network = {
    vpc_id                   = module.network[0].vpc_id
    subnet_ids               = values(module.network[0].subnet_ids.intra)
    client_security_group_id = module.cluster[0].security_group_id
  }
  access_log_bucket = module.edge[0].access_log_bucket
  log_days          = var.observability.log_days
  buckets           = var.data.buckets
  document_places   = { for source in var.knowledge.sources : source.name => trimprefix(source.uri, "s3://") if startswith(source.uri, "s3://") }
  images            = var.data.images
  secrets           = keys(var.data.secrets)
  postgres          = var.data.postgres
  valkey            = var.data.valkey
  backup            = var.data.backup
}

module "search" {
  source = "./modules/search"
  count  = local.on_aws ? 1 : 0

  name       = local.name
  partition  = local.partition
  region     = local.region
  account_id = local.account_id
  domain     = local.names.opensearch_domain
  keys       = { logs = module.encryption[0].key_arns["logs"], data = module.encryption[0].key_arns["data"] }
  network = {
    vpc_id                   = module.network[0].vpc_id
    subnet_ids               = slice(values(module.network[0].subnet_ids.intra), 0, 3) # a search domain spans three zones, no more
    client_security_group_id = module.cluster[0].security_group_id
  }
  administrators = var.access.roles.cluster_admin.principals
  log_days       = var.observability.log_days
  search         = var.data.search
  snapshots      = var.data.backup == null ? null : { bucket_arn = module.data[0].buckets["snapshots"].arn, start_hour = var.data.backup.start_hour }
}
