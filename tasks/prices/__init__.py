"""What a plan costs by the month, from a dated table of AWS's list prices."""

from collections import defaultdict
from collections.abc import Callable, Mapping

from tasks.environment import Environment
from tasks.prices import kubernetes, network, services, stores
from tasks.prices.billed_resource import BilledResource
from tasks.prices.cost import CostDelta, CostLine, Unpriced
from tasks.prices.table import PriceTable, UnknownPrice, load_price_table
from tasks.terraform.plan_document import PlanDocument, ResourceChange
from tasks.terraform.planned_attributes import Attributes, planned, present

__all__ = ["PRICED", "CostDelta", "CostLine", "Unpriced", "cost_of"]

PRICED: Mapping[str, Callable[[BilledResource], float]] = {
    "aws_db_instance": stores.database,
    "aws_eip": network.public_address,
    "aws_eks_cluster": kubernetes.cluster,
    "aws_eks_node_group": kubernetes.node_group,
    "aws_elasticache_replication_group": stores.cache,
    "aws_grafana_workspace": services.grafana,
    "aws_kms_key": services.key,
    "aws_nat_gateway": network.nat_gateway,
    "aws_opensearch_domain": stores.search_domain,
    "aws_prometheus_scraper": services.metrics_collector,
    "aws_route53_zone": services.hosted_zone,
    "aws_secretsmanager_secret": services.secret,
    "aws_vpc_endpoint": network.endpoint,
    "aws_wafv2_web_acl": services.web_acl,
}


def cost_of(document: PlanDocument, settings: Environment) -> CostDelta:
    """The cost before and after an apply, resource by resource; nodes that Karpenter launches are in no plan.

    Raises:
        InvalidPriceTable: `infra/prices.json` is not a table of prices.
    """
    table = load_price_table()
    lines: list[CostLine] = []
    unpriced: dict[tuple[str, str], list[str]] = defaultdict(list)
    for change in sorted(document.changes, key=lambda change: change.address):
        if change.type in table.free:
            continue
        try:
            lines.append(_line(change, document, settings, table))
        except UnknownPrice as reason:
            unpriced[change.type, str(reason)].append(change.address)
    return CostDelta(
        lines=tuple(lines),
        unpriced=tuple(Unpriced(kind, why, tuple(which)) for (kind, why), which in sorted(unpriced.items())),
        as_of=table.as_of,
        source=table.source,
    )


def _line(change: ResourceChange, document: PlanDocument, settings: Environment, table: PriceTable) -> CostLine:
    if change.type not in PRICED:
        by_use = table.by_use.get(change.type)
        raise UnknownPrice(f"paid by use: {by_use}" if by_use else "the table does not know this type")
    prices = table.regions.get(str(settings.environment.region))
    if prices is None:
        raise UnknownPrice(f"the table does not know the region {settings.environment.region!r}")

    def monthly(attributes: Attributes | None) -> float:
        if attributes is None:
            return 0.0
        resource = BilledResource(attributes, change, document, settings, prices, table.hours_per_month)
        return PRICED[change.type](resource)

    return CostLine(change.address, monthly(present(change)), monthly(planned(change)))
