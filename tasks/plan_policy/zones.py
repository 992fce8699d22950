"""An environment must survive the loss of one availability zone."""

from collections import defaultdict
from collections.abc import Iterator

from tasks.environment import Environment
from tasks.plan_policy.finding import Finding
from tasks.terraform.plan_document import PlanDocument
from tasks.terraform.planned_attributes import UNTIL_APPLY, Attributes, planned

NEEDED = 3
RULE = "three-zones"


def three_zones(document: PlanDocument, settings: Environment) -> Iterator[Finding]:
    """Each tier of subnets, the search domain, and in a protected environment databases and caches span zones."""
    yield from _subnets(document)
    for change in document.changes:
        after = planned(change)
        if after is None:
            continue
        if change.type == "aws_opensearch_domain" and not _domain_spans_zones(after):
            yield Finding(
                RULE, change.address, f"does not span {NEEDED} zones", "enable zone awareness with three zones"
            )
        if not settings.environment.protected:
            continue
        if change.type == "aws_db_instance" and after.at("multi_az") is not True:
            yield Finding(RULE, change.address, "has no standby in another zone", "set multi_zone in data.postgres")
        if change.type == "aws_elasticache_replication_group" and after.at("multi_az_enabled") is not True:
            yield Finding(
                RULE, change.address, "has no replica in another zone", "set nodes to 2 or more in data.valkey"
            )


def _domain_spans_zones(domain: Attributes) -> bool:
    count = domain.at("cluster_config", 0, "zone_awareness_config", 0, "availability_zone_count")
    return domain.at("cluster_config", 0, "zone_awareness_enabled") is True and count == NEEDED


def _subnets(document: PlanDocument) -> Iterator[Finding]:
    zones: dict[str, set[str]] = defaultdict(set)
    first: dict[str, str] = {}
    for change in document.changes:
        after = planned(change) if change.type == "aws_subnet" else None
        if after is None:
            continue
        zone = after.at("availability_zone")
        if zone is UNTIL_APPLY or zone is None:
            yield Finding(RULE, change.address, "does not say its zone", "set availability_zone")
            continue
        tier = _tier(after)
        zones[tier].add(zone)
        first.setdefault(tier, change.address)
    for tier, spanned in sorted(zones.items()):
        if len(spanned) < NEEDED:
            yield Finding(
                RULE,
                first[tier],
                f"the {tier} subnets span {len(spanned)} zone(s): {', '.join(sorted(spanned))}",
                f"name {NEEDED} zones in network.zones",
            )


def _tier(subnet: Attributes) -> str:
    """What the subnet is for, by the tags that the load balancer controller looks for."""
    tags = subnet.at("tags_all") or {}
    if tags is UNTIL_APPLY:
        return "untagged"
    if "kubernetes.io/role/elb" in tags:
        return "public"
    return "private" if "kubernetes.io/role/internal-elb" in tags else "intra"
