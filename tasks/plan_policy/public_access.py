"""Nothing that holds data can be reached from the internet."""

from collections.abc import Iterator

from tasks.environment import Environment
from tasks.plan_policy.finding import Finding
from tasks.terraform.plan_document import PlanDocument, ResourceChange
from tasks.terraform.plan_references import refers_to
from tasks.terraform.planned_attributes import UNTIL_APPLY, Attributes, planned

RULE = "no-public-data"
BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
RULE_TYPES = ("aws_vpc_security_group_ingress_rule", "aws_security_group_rule")
GROUP_TYPES = ("aws_security_group", "aws_default_security_group")


def no_public_data(document: PlanDocument, settings: Environment) -> Iterator[Finding]:
    """Buckets block public access, data stores stand in the VPC, and no security group lets everybody in.

    Load balancers are open to everybody, but their groups are made in the cluster and are no part of a plan.
    """
    for change in document.changes:
        after = planned(change)
        if after is not None:
            yield from _stores(change, after)
            yield from _security_groups(change, after)
            yield from _buckets(document, change, after)


def _stores(change: ResourceChange, after: Attributes) -> Iterator[Finding]:
    if change.type in ("aws_db_instance", "aws_rds_cluster_instance") and after.at("publicly_accessible") is True:
        yield Finding(RULE, change.address, "is publicly accessible", "set publicly_accessible = false")
    if change.type == "aws_opensearch_domain" and not after.at("vpc_options"):
        yield Finding(RULE, change.address, "has a public endpoint", "give it vpc_options")
    if change.type == "aws_subnet" and after.at("map_public_ip_on_launch") is True:
        yield Finding(
            RULE, change.address, "gives whatever starts in it a public address", "set map_public_ip_on_launch = false"
        )
    if change.type == "aws_s3_bucket_acl" and after.at("acl") in PUBLIC_ACLS:
        yield Finding(RULE, change.address, f"grants {after.at('acl')!r}", "remove the ACL")


def _security_groups(change: ResourceChange, after: Attributes) -> Iterator[Finding]:
    if change.type in RULE_TYPES:
        if change.type == "aws_security_group_rule" and after.at("type") != "ingress":
            return
        ranges = _ranges(after, "cidr_ipv4", "cidr_ipv6", "cidr_blocks", "ipv6_cidr_blocks")
    elif change.type in GROUP_TYPES:
        ranges = [one for block in after.blocks("ingress") for one in _ranges(block, "cidr_blocks", "ipv6_cidr_blocks")]
    else:
        return
    everybody = sorted({one for one in ranges if one.endswith("/0")})
    if everybody:
        yield Finding(RULE, change.address, f"lets {', '.join(everybody)} in", "name the group or range that may")


def _ranges(attributes: Attributes, *names: str) -> list[str]:
    """The address ranges of attributes that are one range or a list of them."""
    values = [attributes.at(name) for name in names]
    lists = [[value] if isinstance(value, str) else value for value in values if value and value is not UNTIL_APPLY]
    return [one for values in lists for one in values if isinstance(one, str)]


def _buckets(document: PlanDocument, change: ResourceChange, after: Attributes) -> Iterator[Finding]:
    if change.type == "aws_s3_bucket_public_access_block":
        for setting in BLOCKS:
            if after.at(setting) is not True:
                yield Finding(RULE, change.address, f"does not set {setting}", f"set {setting} = true")
    if change.type == "aws_s3_bucket" and not has_companion(document, change, "aws_s3_bucket_public_access_block"):
        yield Finding(RULE, change.address, "does not block public access", "add an aws_s3_bucket_public_access_block")


def has_companion(document: PlanDocument, bucket: ResourceChange, kind: str) -> bool:
    """Whether a resource of the type `kind`, which exists after the apply, is about this bucket."""
    name = (bucket.after or {}).get("bucket")
    for change in document.changes:
        after = planned(change) if change.type == kind else None
        if after is None:
            continue
        of = after.at("bucket")
        if of == name or (of is UNTIL_APPLY and refers_to(document, change, "bucket", bucket)):
            return True
    return False
