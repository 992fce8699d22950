"""The plans of dev and prod keep every rule, and each rule catches a plan that breaks it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.plan_policy import RULES, findings
from tasks.plan_policy.access import unjudged_policies
from tasks.terraform.plan_document import Action, PlanDocument, ResourceChange
from tests.plans import Plan, doctored, the_change, with_change, without

pytestmark = pytest.mark.terraform

CLUSTER = "module.cluster[0].aws_eks_cluster.this"
TEMPLATE = "module.cluster[0].aws_launch_template.system"
QUEUE = "module.cluster[0].aws_sqs_queue.interruptions"
DOMAIN = "module.search[0].aws_opensearch_domain.this"
DATABASE = 'module.data[0].aws_db_instance.this["litellm"]'
CACHE = 'module.data[0].aws_elasticache_replication_group.this["litellm"]'
BUCKET = 'module.data[0].aws_s3_bucket.this["results"]'
BLOCK = 'module.data[0].aws_s3_bucket_public_access_block.this["results"]'
BUCKET_ENCRYPTION = 'module.data[0].aws_s3_bucket_server_side_encryption_configuration.this["results"]'
INGRESS = "module.data[0].aws_vpc_security_group_ingress_rule.postgres[0]"
DEFAULT_GROUP = "module.network[0].aws_default_security_group.this"
SUBNET = 'module.network[0].aws_subnet.this["private-us-east-1c"]'
POD_POLICY = 'module.identity[0].aws_iam_role_policy.pod["fluent-bit"]'
ATTACHMENT = 'module.cluster[0].aws_iam_role_policy_attachment.service["cluster/AmazonEKSClusterPolicy"]'
KEY = 'module.encryption[0].aws_kms_key.this["data"]'
SECRET = 'module.data[0].aws_secretsmanager_secret.this["tavily-api-key"]'
REPOSITORY = 'module.data[0].aws_ecr_repository.this["agents"]'
CREATION_TEMPLATE = 'module.data[0].aws_ecr_repository_creation_template.cached["quay"]'
LOG_GROUP = "module.cluster[0].aws_cloudwatch_log_group.control_plane"
WORKSPACE = "module.observability[0].aws_prometheus_workspace.this"
TOPIC = "module.observability[0].aws_sns_topic.alerts[0]"
VAULT = "module.data[0].aws_backup_vault.this[0]"
POOL = "module.edge[0].aws_cognito_user_pool.this[0]"

Doctor = Callable[[PlanDocument], PlanDocument]


@pytest.fixture(scope="module")
def prod() -> Environment:
    return load_environment(EnvironmentName.PROD)


@pytest.mark.parametrize("name", [EnvironmentName.DEV, EnvironmentName.PROD])
def test_the_plan_of_an_environment_keeps_every_rule(plan: Plan, name: EnvironmentName) -> None:
    document = plan(name)
    assert document.complete
    assert len(document.planned()) > 200
    assert findings(document, load_environment(name)) == []


def change_of(address: str, **attributes: Any) -> Doctor:
    return lambda document: doctored(document, address, **attributes)


def change_in(address: str, attribute: str, **parts: Any) -> Doctor:
    """Another value for some parts of a block that there is one of."""

    def doctor(document: PlanDocument) -> PlanDocument:
        (block,) = (the_change(document, address).after or {})[attribute]
        return doctored(document, address, **{attribute: [{**block, **parts}]})

    return doctor


def policy_of(address: str, statement: dict[str, Any], attribute: str = "policy") -> Doctor:
    return change_of(address, **{attribute: json.dumps({"Version": "2012-10-17", "Statement": statement})})


def one_more(type_: str, **attributes: Any) -> Doctor:
    """A resource of a type that the project does not use."""
    added = ResourceChange(f"{type_}.more", "root", type_, "more", Action.CREATE, None, attributes, {}, {})
    return lambda document: with_change(document, added)


def less(address: str) -> Doctor:
    return lambda document: without(document, address)


BROKEN: tuple[tuple[str, str, Doctor], ...] = (
    # Three zones.
    ("three-zones", "the private subnets span 2", change_of(SUBNET, availability_zone="us-east-1a")),
    ("three-zones", "does not say its zone", change_of(SUBNET, availability_zone=None)),
    ("three-zones", "does not span 3", change_in(DOMAIN, "cluster_config", zone_awareness_enabled=False)),
    ("three-zones", "no standby", change_of(DATABASE, multi_az=False)),
    ("three-zones", "no replica", change_of(CACHE, multi_az_enabled=False)),
    # No public data.
    ("no-public-data", "publicly accessible", change_of(DATABASE, publicly_accessible=True)),
    ("no-public-data", "public endpoint", change_of(DOMAIN, vpc_options=[])),
    ("no-public-data", "public address", change_of(SUBNET, map_public_ip_on_launch=True)),
    ("no-public-data", "block_public_policy", change_of(BLOCK, block_public_policy=False)),
    ("no-public-data", "does not block public access", less(BLOCK)),
    ("no-public-data", "'public-read'", one_more("aws_s3_bucket_acl", acl="public-read")),
    ("no-public-data", "lets 0.0.0.0/0 in", change_of(INGRESS, cidr_ipv4="0.0.0.0/0")),
    ("no-public-data", "lets ::/0 in", change_of(INGRESS, cidr_ipv6="::/0")),
    ("no-public-data", "lets 0.0.0.0/0 in", change_of(DEFAULT_GROUP, ingress=[{"cidr_blocks": ["0.0.0.0/0"]}])),
    (
        "no-public-data",
        "lets 0.0.0.0/0 in",
        one_more("aws_security_group_rule", type="ingress", cidr_blocks=["0.0.0.0/0"]),
    ),
    # The Kubernetes API.
    ("kubernetes-api", "no private endpoint", change_in(CLUSTER, "vpc_config", endpoint_private_access=False)),
    (
        "kubernetes-api",
        "open to everybody",
        change_in(CLUSTER, "vpc_config", endpoint_public_access=True, public_access_cidrs=["0.0.0.0/0"]),
    ),
    (
        "kubernetes-api",
        "open to everybody",
        change_in(CLUSTER, "vpc_config", endpoint_public_access=True, public_access_cidrs=None),
    ),
    # Least privilege.
    (
        "least-privilege",
        "allows s3:* on every resource",
        policy_of(POD_POLICY, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
    ),
    (
        "least-privilege",
        "allows * on every resource",
        policy_of(POD_POLICY, {"Effect": "Allow", "Action": ["*"], "Resource": ["arn:*:*:*:*:*"]}),
    ),
    (
        "least-privilege",
        "statement 'Most' allows all but what it names",
        policy_of(POD_POLICY, {"Sid": "Most", "Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
    ),
    (
        "least-privilege",
        "allows every principal",
        policy_of(KEY, {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}),
    ),
    (
        "least-privilege",
        "allows every principal",
        policy_of(DOMAIN, {"Effect": "Allow", "Principal": "*", "Action": "es:*", "Resource": "*"}, "access_policies"),
    ),
    ("least-privilege", "policy is not a policy", change_of(POD_POLICY, policy="everything")),
    (
        "least-privilege",
        "attaches AdministratorAccess",
        change_of(ATTACHMENT, policy_arn="arn:aws:iam::aws:policy/AdministratorAccess"),
    ),
    # Everything encrypted.
    ("encrypted", "does not encrypt by default", less(BUCKET_ENCRYPTION)),
    ("encrypted", "does not encrypt by default", change_of(BUCKET_ENCRYPTION, rule=[])),
    ("encrypted", "not encrypted", change_of(DATABASE, storage_encrypted=False)),
    ("encrypted", "on disk", change_of(CACHE, at_rest_encryption_enabled=False)),
    ("encrypted", "on the wire", change_of(CACHE, transit_encryption_enabled=False)),
    ("encrypted", "on disk", change_in(DOMAIN, "encrypt_at_rest", enabled=False)),
    ("encrypted", "between nodes", change_in(DOMAIN, "node_to_node_encryption", enabled=False)),
    ("encrypted", "without TLS", change_in(DOMAIN, "domain_endpoint_options", enforce_https=False)),
    ("encrypted", "has no key", change_of(LOG_GROUP, kms_key_id=None)),
    ("encrypted", "not encrypted", change_of(QUEUE, sqs_managed_sse_enabled=False)),
    ("encrypted", "has no key", change_of(TOPIC, kms_master_key_id=None)),
    ("encrypted", "has no key", change_of(SECRET, kms_key_id=None)),
    ("encrypted", "has no key", change_of(WORKSPACE, kms_key_arn=None)),
    ("encrypted", "has no key", change_of(VAULT, kms_key_arn=None)),
    ("encrypted", "has no key", change_in(REPOSITORY, "encryption_configuration", encryption_type="AES256")),
    ("encrypted", "Secrets in the clear", change_of(CLUSTER, encryption_config=[])),
    ("encrypted", "never rotated", change_of(KEY, enable_key_rotation=False)),
    (
        "encrypted",
        "disks in the clear",
        change_of(TEMPLATE, block_device_mappings=[{"ebs": [{"volume_size": 50, "encrypted": None}]}]),
    ),
    ("encrypted", "not encrypted", one_more("aws_ebs_volume", encrypted=False)),
    # Everything tagged.
    ("tagged", "lacks Project=agentic-eks", change_of(QUEUE, tags_all={})),
    (
        "tagged",
        "it lacks Environment=prod",
        change_of(QUEUE, tags_all={"Project": "agentic-eks", "Environment": "dev", "ManagedBy": "terraform"}),
    ),
    ("tagged", "each volume it launches", change_of(TEMPLATE, tag_specifications=[])),
    ("tagged", "each repository it makes", change_of(CREATION_TEMPLATE, resource_tags=None)),
    # Instance metadata.
    (
        "instance-metadata-v2",
        "without a session token",
        change_in(TEMPLATE, "metadata_options", http_tokens="optional"),
    ),
    ("instance-metadata-v2", "lets pods", change_in(TEMPLATE, "metadata_options", http_put_response_hop_limit=2)),
    # Deletion protection.
    ("deletion-protection", "can be deleted", change_of(DATABASE, deletion_protection=False)),
    ("deletion-protection", "no snapshot", change_of(DATABASE, skip_final_snapshot=True)),
    ("deletion-protection", "no snapshot", change_of(CACHE, final_snapshot_identifier=None)),
    ("deletion-protection", "accounts", change_of(POOL, deletion_protection="INACTIVE")),
    ("deletion-protection", "objects", change_of(BUCKET, force_destroy=True)),
    ("deletion-protection", "images", change_of(REPOSITORY, force_delete=True)),
    ("deletion-protection", "recovery points", change_of(VAULT, force_destroy=True)),
    ("deletion-protection", "brought back", change_of(SECRET, recovery_window_in_days=0)),
)


@pytest.mark.parametrize(("rule", "what", "doctor"), BROKEN, ids=[f"{rule}: {what}" for rule, what, _ in BROKEN])
def test_a_rule_catches_a_plan_that_breaks_it(
    plan: Plan, prod: Environment, rule: str, what: str, doctor: Doctor
) -> None:
    found = findings(doctor(plan(EnvironmentName.PROD)), prod)
    assert {finding.rule for finding in found} == {rule}
    assert what in " ".join(finding.what for finding in found)
    assert all(finding.address and finding.remedy for finding in found)


def test_every_rule_is_seen_to_catch_something() -> None:
    assert {rule for rule, _, _ in BROKEN} == {rule.__name__.replace("_", "-") for rule in RULES}


def test_an_unprotected_environment_may_be_small_and_easily_removed(plan: Plan) -> None:
    dev = load_environment(EnvironmentName.DEV)
    document = doctored(plan(EnvironmentName.DEV), BUCKET, force_destroy=True)
    assert (the_change(document, DATABASE).after or {})["multi_az"] is False
    assert findings(document, dev) == []


def test_what_the_plan_removes_is_not_judged(plan: Plan, prod: Environment) -> None:
    document = change_of(QUEUE, tags_all={})(plan(EnvironmentName.PROD))
    removed = replace(the_change(document, QUEUE), action=Action.DELETE, before={}, after=None)
    assert findings(with_change(document, removed), prod) == []


def test_policies_that_only_the_apply_will_tell_are_named(plan: Plan) -> None:
    unjudged = unjudged_policies(plan(EnvironmentName.PROD))
    assert 'module.data[0].aws_s3_bucket_policy.this["results"]' in unjudged
    # What Terraform leaves to AWS, such as the policy of a secret, is no policy of ours.
    assert SECRET not in unjudged
    assert POD_POLICY not in unjudged
