# The search domain: what it is made of, with and without what the file may ask for.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111122223333:log-group:mock" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
  }
}

variables {
  name           = "test"
  partition      = "aws"
  region         = "us-east-1"
  account_id     = "111122223333"
  domain         = "test"
  administrators = ["arn:aws:iam::111122223333:role/platform"]
  log_days       = 30
  network        = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2", "subnet-3"], client_security_group_id = "sg-1" }
  keys           = { logs = "arn:aws:kms:us-east-1:111122223333:key/logs", data = "arn:aws:kms:us-east-1:111122223333:key/data" }
  search         = { engine_version = "OpenSearch_3.3", instance_type = "m7g.medium.search", instance_count = 3, volume_gib = 20 }
}

run "with_masters_and_snapshots" {
  command = plan
  module {
    source = "./modules/search"
  }
  variables {
    search = {
      engine_version    = "OpenSearch_3.3"
      instance_type     = "r7g.large.search"
      instance_count    = 6
      volume_gib        = 100
      dedicated_masters = { instance_type = "m7g.medium.search" }
    }
    snapshots = { bucket_arn = "arn:aws:s3:::test-snapshots", start_hour = 3 }
  }

  assert {
    condition = (
      aws_opensearch_domain.this.cluster_config[0].zone_awareness_config[0].availability_zone_count == 3 &&
      aws_opensearch_domain.this.cluster_config[0].dedicated_master_count == 3 &&
      length(one(aws_opensearch_domain.this.vpc_options).subnet_ids) == 3
    )
    error_message = "The search domain must span three zones, with three masters where they are asked for."
  }
  assert {
    condition = (
      aws_opensearch_domain.this.encrypt_at_rest[0].enabled && aws_opensearch_domain.this.node_to_node_encryption[0].enabled &&
      aws_opensearch_domain.this.domain_endpoint_options[0].enforce_https &&
      !aws_opensearch_domain.this.advanced_security_options[0].internal_user_database_enabled &&
      aws_opensearch_domain.this.advanced_security_options[0].master_user_options[0].master_user_arn == output.administrator_role_arn &&
      length(aws_opensearch_domain.this.log_publishing_options) == 4
    )
    error_message = "The search domain must be encrypted, know IAM identities only, and log."
  }
  assert {
    condition     = aws_opensearch_domain.this.access_policies != null && aws_opensearch_domain.this.snapshot_options[0].automated_snapshot_start_hour == 3
    error_message = "The daily snapshot must be taken when the backup section says."
  }
  assert {
    condition = (
      output.snapshot_role_arn != null &&
      contains(jsondecode(aws_iam_role_policy.snapshots[0].policy).Statement[*].Resource, "arn:aws:s3:::test-snapshots") &&
      length(jsondecode(aws_iam_role_policy.administrator.policy).Statement) == 2
    )
    error_message = "The domain must write snapshots to their bucket, by a role that the administrator may pass."
  }
  assert {
    condition     = tolist(jsondecode(aws_iam_role.administrator.assume_role_policy).Statement[0].Principal.AWS) == var.administrators
    error_message = "Only who the file names may become the domain's master user."
  }
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.keys.logs && group.retention_in_days == 30])
    error_message = "Log groups must be encrypted, and kept as long as the file says."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.referenced_security_group_id == "sg-1" && aws_vpc_security_group_ingress_rule.this.from_port == 443
    error_message = "The cluster alone may connect, by HTTPS."
  }
}

run "nothing_optional" {
  command = plan
  module {
    source = "./modules/search"
  }

  assert {
    condition     = !aws_opensearch_domain.this.cluster_config[0].dedicated_master_enabled && aws_opensearch_domain.this.cluster_config[0].dedicated_master_type == null
    error_message = "No dedicated masters were asked for."
  }
  assert {
    condition     = output.snapshot_role_arn == null && length(jsondecode(aws_iam_role_policy.administrator.policy).Statement) == 1
    error_message = "No snapshots were asked for."
  }
}
