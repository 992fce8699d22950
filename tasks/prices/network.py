"""What the network costs when nothing passes through it; what passes is paid by the GB."""

from tasks.prices.billed_resource import BilledResource
from tasks.prices.table import UnknownPrice
from tasks.terraform.planned_attributes import UNTIL_APPLY


def nat_gateway(resource: BilledResource) -> float:
    """A NAT gateway; its address is a resource of its own."""
    return resource.prices.nat_gateway_hour * resource.hours


def public_address(resource: BilledResource) -> float:
    """A public IPv4 address, in use or not."""
    return resource.prices.public_address_hour * resource.hours


def endpoint(resource: BilledResource) -> float:
    """An interface endpoint is paid for in each zone; a gateway endpoint is free."""
    if resource.attributes.at("vpc_endpoint_type") == "Gateway":
        return 0.0
    return _zones(resource) * resource.prices.interface_endpoint_hour * resource.hours


def _zones(resource: BilledResource) -> int:
    subnets = resource.attributes.at("subnet_ids")
    if subnets is not UNTIL_APPLY:
        return len(subnets or ())
    # The subnets are yet to be made: the file says in how many zones.
    network = resource.settings.network
    if network is None:
        raise UnknownPrice("the plan does not say in which subnets")
    return 1 if network.interface_endpoints.placement == "single" else len(network.zones)
