"""Where AWS has what the environment runs on: its availability zones, and instance types in each of them."""

from collections.abc import Sequence

from tasks.preflight.aws import AwsReader
from tasks.preflight.demand import Demand, ServedModel
from tasks.preflight.finding import PreflightFinding

# EKS puts no control plane there: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
WITHOUT_EKS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
# A pool has dozens; the cheapest say enough.
NAMED_TYPES = 3


def check_zones(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """Whether the account has the zones of the file, and each is available and open to EKS."""
    answer = aws.ask("ec2", "describe_availability_zones")["AvailabilityZones"]
    known = {zone["ZoneName"]: zone for zone in answer}
    usable = [name for name, zone in known.items() if _zone_fault(zone) is None]
    faults = [
        f"{name} {fault}"
        for name in demand.zones
        if (fault := "is not a zone of the account" if name not in known else _zone_fault(known[name]))
    ]
    if faults:
        remedy = f"choose three of {', '.join(usable)} for network.zones"
        return PreflightFinding("availability zones", "blocked", "; ".join(faults), remedy)
    return PreflightFinding("availability zones", "ok", ", ".join(demand.zones))


def _zone_fault(zone: dict[str, str]) -> str | None:
    if zone["State"] != "available":
        return f"is {zone['State']}"
    if zone["ZoneId"] in WITHOUT_EKS:
        return f"is {zone['ZoneId']}, where EKS has no control plane"
    return None


def check_system_nodes(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """Whether a type of the system nodes is offered in every zone."""
    types = demand.cluster.system_nodes.instance_types
    return _offered(aws, demand, "types of system nodes", types, "correct cluster.system_nodes.instance_types")


def check_model_types(aws: AwsReader, demand: Demand, model: ServedModel) -> PreflightFinding:
    """Whether an instance type that can hold a replica of the model is offered in the zones."""
    remedy = (
        f"use other zones, or other instance_families in capacity.pools, or remove models.catalogue.{model.name}, "
        f"which needs a pool of kind {model.kind!r}"
    )
    types = list(dict.fromkeys(launch.instance.name for launch in model.launches))
    return _offered(aws, demand, f"instance types of {model.name}", types, remedy)


def _offered(aws: AwsReader, demand: Demand, check: str, types: Sequence[str], remedy: str) -> PreflightFinding:
    """Which of `types` each zone has; one of them is enough."""
    filters = [
        {"Name": "instance-type", "Values": list(types)},
        {"Name": "location", "Values": list(demand.zones)},
    ]
    asked = {"LocationType": "availability-zone", "Filters": filters}
    offered: dict[str, list[str]] = {zone: [] for zone in demand.zones}
    for offering in aws.ask_all("ec2", "describe_instance_type_offerings", "InstanceTypeOfferings", **asked):
        offered[offering["Location"]].append(offering["InstanceType"])
    found = "; ".join(f"{zone}: {_few(sorted(there, key=types.index))}" for zone, there in offered.items())
    lacking = [zone for zone, there in offered.items() if not there]
    wanted = f"of {_few(types)}: {found}"
    if len(lacking) == len(demand.zones):
        return PreflightFinding(check, "blocked", wanted, remedy)
    if lacking:
        return PreflightFinding(check, "warning", wanted, f"nothing, where the other zones are enough; else {remedy}")
    return PreflightFinding(check, "ok", wanted)


def _few(types: Sequence[str]) -> str:
    more = f" and {len(types) - NAMED_TYPES} more" if len(types) > NAMED_TYPES else ""
    return f"{', '.join(types[:NAMED_TYPES])}{more}" or "none"
