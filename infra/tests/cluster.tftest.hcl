# The control plane, its nodes, add-ons and access, and what Karpenter needs.

mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { certificate_authority = [{ data = "bW9jaw==" }] }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:111122223333:mock" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  name                = "test"
  partition           = "aws"
  account_id          = "111122223333"
  tags                = { Environment = "test" }
  kubernetes_version  = "1.35"
  service_cidr        = "172.20.0.0/16"
  public_access_cidrs = ["203.0.113.0/24"]
  log_days            = 30
  system_nodes        = { instance_types = ["m7g.large"], minimum = 3, maximum = 6, disk_gib = 50 }
  addon_versions = {
    aws-ebs-csi-driver     = "v1.64.0-eksbuild.1"
    coredns                = "v1.13.2-eksbuild.31"
    eks-pod-identity-agent = "v1.3.10-eksbuild.3"
    kube-proxy             = "v1.35.3-eksbuild.29"
    metrics-server         = "v0.8.1-eksbuild.4"
    vpc-cni                = "v1.22.4-eksbuild.3"
  }
  subnet_ids = {
    public  = { a = "subnet-1", b = "subnet-2", c = "subnet-3" }
    private = { a = "subnet-4", b = "subnet-5", c = "subnet-6" }
    intra   = { a = "subnet-7", b = "subnet-8", c = "subnet-9" }
  }
  secrets_key_arn = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
  log_key_arn     = "arn:aws:kms:us-east-1:111122223333:key/66666666-2222-3333-4444-555555555555"
  access_entries = {
    cluster_admin = { principal_arn = "arn:aws:iam::111122223333:role/a", group = "cluster-admins", policy = "AmazonEKSClusterAdminPolicy", namespaces = [] }
    editor        = { principal_arn = "arn:aws:iam::111122223333:role/e", group = "editors", policy = "AmazonEKSEditPolicy", namespaces = ["agents"] }
  }
  cached_repository_arns = ["arn:aws:ecr:us-east-1:111122223333:repository/quay/*"]
  pod_identities = {
    ray = { namespace = "ray", service_account = "ray", role_arn = "arn:aws:iam::111122223333:role/ray" }
  }
}

run "public_and_private_api" {
  command = apply
  module {
    source = "./modules/cluster"
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["203.0.113.0/24"])
    error_message = "The API must be reached from the VPC, and from the ranges of the file."
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].subnet_ids == toset(["subnet-7", "subnet-8", "subnet-9"]) && aws_eks_node_group.system.subnet_ids == toset(["subnet-4", "subnet-5", "subnet-6"])
    error_message = "The control plane must stand in the intra subnets, nodes in the private ones."
  }
  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.secrets_key_arn && length(aws_eks_cluster.this.enabled_cluster_log_types) == 5
    error_message = "Secrets must be encrypted, and all logs of the control plane kept."
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Access entries must be the only way in."
  }
  assert {
    condition     = aws_eks_node_group.system.ami_type == "BOTTLEROCKET_ARM_64" && one(aws_eks_node_group.system.taint).key == "CriticalAddonsOnly" && one(aws_eks_node_group.system.taint).effect == "NO_SCHEDULE"
    error_message = "System nodes must be Graviton ones that keep everything but critical add-ons away."
  }
  assert {
    condition     = aws_launch_template.system.metadata_options[0].http_tokens == "required" && aws_launch_template.system.metadata_options[0].http_put_response_hop_limit == 1 && alltrue([for disk in aws_launch_template.system.block_device_mappings : tobool(disk.ebs[0].encrypted)])
    error_message = "Pods must not reach the node's credentials, and disks must be encrypted."
  }
  assert {
    condition     = tomap(output.addon_versions) == var.addon_versions && toset(keys(aws_eks_addon.before_nodes)) == toset(["eks-pod-identity-agent", "kube-proxy", "vpc-cni"])
    error_message = "Every add-on must be pinned, and what makes a node ready must come before nodes."
  }
  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).env.ENABLE_PREFIX_DELEGATION == "true" && length(aws_eks_addon.before_nodes["vpc-cni"].pod_identity_association) == 1
    error_message = "The VPC CNI must delegate prefixes, by a role of its own."
  }
  assert {
    condition     = alltrue([for name in ["coredns", "metrics-server"] : jsondecode(aws_eks_addon.on_nodes[name].configuration_values).tolerations[0].key == "CriticalAddonsOnly"])
    error_message = "Add-ons must tolerate the taint of the system nodes."
  }
  assert {
    condition     = aws_eks_access_policy_association.person["cluster_admin"].access_scope[0].type == "cluster" && aws_eks_access_policy_association.person["editor"].access_scope[0].type == "namespace" && aws_eks_access_policy_association.person["editor"].access_scope[0].namespaces == toset(["agents"])
    error_message = "A role must count in the namespaces of the file, or everywhere when there is none."
  }
  assert {
    condition     = aws_eks_access_entry.person["editor"].kubernetes_groups == toset(["editors"]) && aws_eks_access_entry.karpenter_node.type == "EC2_LINUX"
    error_message = "Access entries must map people to groups, and let Karpenter's nodes in."
  }
  assert {
    condition     = aws_eks_pod_identity_association.workload["ray"].service_account == "ray"
    error_message = "Every workload must have its pod identity."
  }
  assert {
    condition     = length(aws_cloudwatch_event_rule.interruption) == 5 && alltrue([for target in aws_cloudwatch_event_target.interruption : target.arn == aws_sqs_queue.interruptions.arn]) && aws_sqs_queue.interruptions.sqs_managed_sse_enabled
    error_message = "Every kind of interruption must reach Karpenter's queue, which must be encrypted."
  }
  assert {
    condition     = keys(aws_iam_role_policy.cache_images) == ["karpenter-node", "system-node"]
    error_message = "Every node must be able to pull an image that is not cached yet."
  }
  assert {
    condition     = !contains([for attachment in aws_iam_role_policy_attachment.service : basename(attachment.policy_arn) if attachment.role == "test-system-node"], "AmazonEKS_CNI_Policy")
    error_message = "Nodes must not have what the VPC CNI has a role of its own for."
  }
}

run "private_api_only" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  variables {
    public_access_cidrs    = []
    cached_repository_arns = []
  }

  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "Without a range in the file the API must be private."
  }
  assert {
    condition     = length(aws_iam_role_policy.cache_images) == 0
    error_message = "Without a cache nodes must not make repositories."
  }
}
