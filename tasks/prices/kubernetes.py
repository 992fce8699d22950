"""The control plane and the nodes that are always there; those that Karpenter launches are in no plan."""

from tasks.prices.billed_resource import BilledResource
from tasks.prices.table import UnknownPrice, price_of
from tasks.terraform.plan_document import ResourceChange
from tasks.terraform.plan_references import refers_to
from tasks.terraform.planned_attributes import Attributes, planned, present


def cluster(resource: BilledResource) -> float:
    """A control plane in standard support."""
    return resource.prices.cluster_hour * resource.hours


def node_group(resource: BilledResource) -> float:
    """The fewest nodes that the group has, of its first instance type, and their disks.

    On demand, EKS takes the types in their order. Raises UnknownPrice for spot, which has no list price.
    """
    if resource.attributes.at("capacity_type") == "SPOT":
        raise UnknownPrice("spot has no list price")
    instance = price_of(resource.prices.instance_hour, resource.attributes.at("instance_types", 0), "instance type")
    nodes = resource.number("scaling_config", 0, "min_size")
    return nodes * (instance * resource.hours + _disks(resource))


def _disks(resource: BilledResource) -> float:
    template = _launch_template(resource)
    if template is None:
        raise UnknownPrice("its launch template is not in the plan")
    disks = [disk for mapping in template.blocks("block_device_mappings") for disk in mapping.blocks("ebs")]
    return sum(
        price_of(resource.prices.volume_gib_month, disk.at("volume_type"), "volume type") * disk.at("volume_size")
        for disk in disks
    )


def _launch_template(resource: BilledResource) -> Attributes | None:
    """The template of a node group: by its id, or by reference while the apply has yet to make it."""
    wanted = resource.attributes.at("launch_template", 0, "id")
    for change in resource.document.changes:
        if change.type == "aws_launch_template" and (
            _id(change) == wanted or refers_to(resource.document, resource.change, "launch_template", change)
        ):
            return planned(change) or present(change)
    return None


def _id(change: ResourceChange) -> object:
    return (change.before or {}).get("id")
