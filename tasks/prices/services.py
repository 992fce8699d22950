"""What is paid by the month for being there."""

from tasks.prices.billed_resource import BilledResource


def key(resource: BilledResource) -> float:
    """A KMS key of ours; requests are paid by use."""
    return resource.prices.key_month


def secret(resource: BilledResource) -> float:
    """A secret; requests are paid by use."""
    return resource.prices.secret_month


def web_acl(resource: BilledResource) -> float:
    """A web ACL and each of its rules, a managed group being one; requests are paid by use."""
    rules = len(resource.attributes.at("rule") or ())
    return resource.prices.web_acl_month + rules * resource.prices.web_acl_rule_month


def grafana(resource: BilledResource) -> float:
    """The one editor that every workspace pays for; each further person is paid for in the months they sign in."""
    return resource.prices.grafana_workspace_month


def metrics_collector(resource: BilledResource) -> float:
    """The managed collector; samples are paid by use."""
    return resource.prices.metrics_collector_hour * resource.hours


def hosted_zone(resource: BilledResource) -> float:
    """A hosted zone; queries are paid by use."""
    return resource.prices.hosted_zone_month
