"""Whether the vCPU quotas of EC2 have room for the nodes.

There is a quota for each class of instance families, of On-Demand and of Spot instances apart:
https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.environment.capacity import CapacityType, PoolKind
from tasks.preflight.aws import AwsReader
from tasks.preflight.demand import Demand, ServedModel
from tasks.preflight.finding import PreflightFinding
from tasks.preflight.quotas import Count, Quota, Room, is_own, quota_finding, room_in

RUNNING = {"Name": "instance-state-name", "Values": ["pending", "running"]}
STANDARD = "standard"


def check_standard_vcpu(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """The vCPU of nodes without accelerators: the system nodes, and those that Karpenter brings."""
    largest = max(_vcpu_of_types(aws, demand.cluster.system_nodes.instance_types).values())
    rooms = _Rooms(aws, demand)
    rooms.take(_quota(STANDARD, "on-demand"), demand.system_vcpu(largest))
    rooms.take(_quota(STANDARD, demand.shared_capacity_type), demand.shared_vcpu)
    return quota_finding("vCPU of standard nodes", aws, rooms.taken)


def check_accelerated_vcpu(aws: AwsReader, demand: Demand, check: str, kind: PoolKind) -> PreflightFinding:
    """The vCPU of nodes with accelerators: each model takes the cheapest nodes whose quota has room for it."""
    rooms = _Rooms(aws, demand)
    options = [_least_vcpu(model) for model in demand.served(kind)]
    for option in sorted(options, key=len):  # what has a choice leaves room to what has none
        quota = next((each for each, vcpu in option.items() if rooms.hold(each, vcpu)), next(iter(option)))
        rooms.take(quota, option[quota])
    return quota_finding(check, aws, rooms.taken)


def _least_vcpu(model: ServedModel) -> dict[Quota, int]:
    """What its replicas need at least of each quota that could serve them, the cheapest first."""
    least: dict[Quota, int] = {}
    for launch in model.launches:
        quota, vcpu = _quota(_class_of(launch.instance.name), launch.capacity_type), model.vcpu(launch.instance)
        least[quota] = min(vcpu, least.get(quota, vcpu))
    return least


class _Rooms:
    """Quotas, each asked for once, and what was taken of them."""

    def __init__(self, aws: AwsReader, demand: Demand) -> None:
        self._aws, self._demand = aws, demand
        self._rooms: dict[Quota, Room] = {}

    @property
    def taken(self) -> list[Room]:
        return [room for room in self._rooms.values() if room.needed]

    def hold(self, quota: Quota, vcpu: int) -> bool:
        return self._with(quota, vcpu).fits

    def take(self, quota: Quota, vcpu: int) -> None:
        self._rooms[quota] = self._with(quota, vcpu)

    def _with(self, quota: Quota, vcpu: int) -> Room:
        if quota not in self._rooms:
            self._rooms[quota] = room_in(self._aws, self._demand, quota, 0)
        room = self._rooms[quota]
        return replace(room, needed=room.needed + vcpu)


@dataclass(frozen=True)
class _Class:
    """Families that share quotas, by their letters: `g` of g6.xlarge, `inf` of inf2.xlarge, `c` of c7gn.large."""

    name: str
    letters: tuple[str, ...]
    codes: dict[CapacityType, str]


# AWS counts P5 apart from older P families, on Spot only.
_CLASSES = {
    STANDARD: _Class(
        "standard",
        ("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"),
        {"on-demand": "L-1216C47A", "spot": "L-34B43A08"},
    ),
    "g": _Class("G and VT", ("g", "gr", "vt"), {"on-demand": "L-DB2E81BA", "spot": "L-3819A6DF"}),
    "p": _Class("P", ("p",), {"on-demand": "L-417A185B", "spot": "L-C4BD4855"}),
    "inf": _Class("Inf", ("inf",), {"on-demand": "L-1945791B", "spot": "L-B5D1601B"}),
    "trn": _Class("Trn", ("trn",), {"on-demand": "L-2C3B7624", "spot": "L-6B0D517C"}),
}


def _class_of(instance_type: str) -> str:
    letters = _letters(instance_type)
    return next(key for key, each in _CLASSES.items() if letters in each.letters)


def _letters(instance_type: str) -> str:
    found = re.match(r"[a-z]+", instance_type)
    return found[0] if found else instance_type


def _used(letters: Sequence[str], capacity_type: CapacityType) -> Count:
    def used(aws: AwsReader, demand: Demand) -> int:
        reservations = aws.ask_all("ec2", "describe_instances", "Reservations", Filters=[RUNNING])
        running = Counter[str](
            instance["InstanceType"]
            for reservation in reservations
            for instance in reservation["Instances"]
            if _letters(instance["InstanceType"]) in letters
            and (instance.get("InstanceLifecycle") == "spot") == (capacity_type == "spot")
            and not is_own(instance, demand)
        )
        vcpu = _vcpu_of_types(aws, sorted(running))
        return sum(vcpu[instance_type] * count for instance_type, count in running.items())

    return used


def _vcpu_of_types(aws: AwsReader, types: Sequence[str]) -> dict[str, int]:
    """The vCPU of each instance type, which is what counts, whatever CPU options an instance was started with."""
    if not types:
        return {}
    answer = aws.ask("ec2", "describe_instance_types", InstanceTypes=list(types))["InstanceTypes"]
    return {described["InstanceType"]: described["VCpuInfo"]["DefaultVCpus"] for described in answer}


def _quota(of_class: str, capacity_type: CapacityType) -> Quota:
    return _QUOTAS[of_class, capacity_type]


def _named(each: _Class, capacity_type: CapacityType) -> Quota:
    paid = "On-Demand" if capacity_type == "on-demand" else "Spot"
    name = f"vCPU of running {paid} {each.name} instances"
    return Quota(name, "ec2", each.codes[capacity_type], _used(each.letters, capacity_type))


_QUOTAS = {
    (key, capacity_type): _named(each, capacity_type) for key, each in _CLASSES.items() for capacity_type in each.codes
}
