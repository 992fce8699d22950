"""Whatever AWS can encrypt is encrypted."""

from collections.abc import Callable, Iterator, Mapping

from tasks.environment import Environment
from tasks.plan_policy.finding import Finding
from tasks.plan_policy.public_access import has_companion
from tasks.terraform.plan_document import PlanDocument
from tasks.terraform.planned_attributes import Attributes, planned

RULE = "encrypted"
BUCKET_ALGORITHMS = ("aws:kms", "aws:kms:dsse", "AES256")

Check = Callable[[Attributes], bool]


def _on(*path: str | int) -> Check:
    """True, which launch templates write as text."""
    return lambda attributes: attributes.at(*path) in (True, "true")


def _given(*path: str | int) -> Check:
    """A key is given; which one may be known after the apply only."""
    return lambda attributes: bool(attributes.at(*path))


def _equal(wanted: object, *path: str | int) -> Check:
    return lambda attributes: attributes.at(*path) == wanted


def _queue(queue: Attributes) -> bool:
    return queue.at("sqs_managed_sse_enabled") is True or bool(queue.at("kms_master_key_id"))


def _launched_disks(template: Attributes) -> bool:
    disks = template.blocks("block_device_mappings")
    return all(disk.at("ebs", 0, "encrypted") == "true" for disk in disks if disk.at("ebs"))


def _cluster_secrets(cluster: Attributes) -> bool:
    return any("secrets" in (block.at("resources") or ()) for block in cluster.blocks("encryption_config"))


def _bucket(rules: Attributes) -> bool:
    defaults = [rule.at("apply_server_side_encryption_by_default", 0, "sse_algorithm") for rule in rules.blocks("rule")]
    return bool(defaults) and all(algorithm in BUCKET_ALGORITHMS for algorithm in defaults)


# By type: what must hold, what is wrong where it does not, and the attribute that changes it.
CHECKS: Mapping[str, tuple[tuple[Check, str, str], ...]] = {
    "aws_backup_vault": ((_given("kms_key_arn"), "has no key", "kms_key_arn"),),
    "aws_cloudwatch_log_group": ((_given("kms_key_id"), "has no key", "kms_key_id"),),
    "aws_db_instance": ((_on("storage_encrypted"), "is not encrypted", "storage_encrypted"),),
    "aws_dynamodb_table": (
        (_on("server_side_encryption", 0, "enabled"), "has no key of ours", "server_side_encryption"),
    ),
    "aws_ebs_volume": ((_on("encrypted"), "is not encrypted", "encrypted"),),
    "aws_ecr_repository": (
        (_equal("KMS", "encryption_configuration", 0, "encryption_type"), "has no key", "encryption_configuration"),
    ),
    "aws_ecr_repository_creation_template": (
        (_equal("KMS", "encryption_configuration", 0, "encryption_type"), "has no key", "encryption_configuration"),
    ),
    "aws_efs_file_system": ((_on("encrypted"), "is not encrypted", "encrypted"),),
    "aws_eks_cluster": ((_cluster_secrets, "leaves Secrets in the clear", "encryption_config"),),
    "aws_elasticache_replication_group": (
        (_on("at_rest_encryption_enabled"), "is not encrypted on disk", "at_rest_encryption_enabled"),
        (_on("transit_encryption_enabled"), "is not encrypted on the wire", "transit_encryption_enabled"),
    ),
    "aws_kms_key": ((_on("enable_key_rotation"), "is never rotated", "enable_key_rotation"),),
    "aws_launch_template": ((_launched_disks, "launches disks in the clear", "block_device_mappings.ebs.encrypted"),),
    "aws_opensearch_domain": (
        (_on("encrypt_at_rest", 0, "enabled"), "is not encrypted on disk", "encrypt_at_rest"),
        (_on("node_to_node_encryption", 0, "enabled"), "talks in the clear between nodes", "node_to_node_encryption"),
        (_on("domain_endpoint_options", 0, "enforce_https"), "answers without TLS", "enforce_https"),
    ),
    "aws_prometheus_workspace": ((_given("kms_key_arn"), "has no key", "kms_key_arn"),),
    "aws_rds_cluster": ((_on("storage_encrypted"), "is not encrypted", "storage_encrypted"),),
    "aws_s3_bucket_server_side_encryption_configuration": (
        (_bucket, "does not encrypt by default", "apply_server_side_encryption_by_default"),
    ),
    "aws_secretsmanager_secret": ((_given("kms_key_id"), "has no key", "kms_key_id"),),
    "aws_sns_topic": ((_given("kms_master_key_id"), "has no key", "kms_master_key_id"),),
    "aws_sqs_queue": ((_queue, "is not encrypted", "sqs_managed_sse_enabled or kms_master_key_id"),),
}


def encrypted(document: PlanDocument, settings: Environment) -> Iterator[Finding]:
    """Every resource that holds or carries data is encrypted, and every bucket says so itself."""
    for change in document.changes:
        after = planned(change)
        if after is None:
            continue
        for holds, what, attribute in CHECKS.get(change.type, ()):
            if not holds(after):
                yield Finding(RULE, change.address, what, f"set {attribute}")
        kind = "aws_s3_bucket_server_side_encryption_configuration"
        if change.type == "aws_s3_bucket" and not has_companion(document, change, kind):
            yield Finding(RULE, change.address, "does not encrypt by default", f"add an {kind}")
