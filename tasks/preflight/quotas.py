"""Whether the account's quotas have room for the environment, beside what others use already.

What the environment itself uses already is not counted: it is part of what it needs.
Quota codes: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.preflight.aws import Absent, AwsReader
from tasks.preflight.demand import GPU, INFERENTIA, TRAINIUM, Demand
from tasks.preflight.finding import PreflightFinding
from tasks.resource_names import PROJECT

Count = Callable[[AwsReader, Demand], int]
RUNNING = {"Name": "instance-state-name", "Values": ["pending", "running"]}


@dataclass(frozen=True)
class Quota:
    """A service quota by its code; `used` counts what others in the account use of it."""

    name: str
    service: str
    code: str
    used: Count


@dataclass(frozen=True)
class Room:
    """A quota, what others use of it, and what the environment needs."""

    quota: Quota
    allowed: int
    used: int
    needed: int

    @property
    def fits(self) -> bool:
        """Whether there is room."""
        return self.used + self.needed <= self.allowed

    def __str__(self) -> str:
        return f"{self.quota.name}: {self.allowed} allowed, {self.used} used by others, at least {self.needed} needed"

    def remedy(self, region: str) -> str:
        """How a person asks AWS for more."""
        return (
            f"aws service-quotas request-service-quota-increase --region {region} --service-code {self.quota.service}"
            f" --quota-code {self.quota.code} --desired-value {self.used + self.needed}"
        )


def check_addresses(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """Elastic IP addresses for the NAT gateways."""
    return _finding("elastic addresses", aws, _room(aws, demand, ADDRESSES, demand.addresses))


def check_vpcs(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """One more VPC in the region."""
    return _finding("VPCs", aws, _room(aws, demand, VPCS, 1))


def check_standard_vcpu(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """The vCPU of nodes without accelerators."""
    largest = max(_vcpu_of_types(aws, demand.cluster.system_nodes.instance_types).values())
    return _finding("vCPU of standard nodes", aws, _room(aws, demand, STANDARD_VCPU, demand.standard_vcpu(largest)))


def check_gpu_vcpu(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """The vCPU of GPU nodes."""
    return _finding("vCPU of GPU nodes", aws, _room(aws, demand, GPU_VCPU, demand.accelerated_vcpu("gpu", GPU)))


def check_neuron_vcpu(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """The vCPU of Inferentia nodes, or of Trainium nodes in their place."""
    inferentia = _room(aws, demand, INFERENTIA_VCPU, demand.accelerated_vcpu("neuron", INFERENTIA))
    if inferentia.fits:
        return _finding("vCPU of Neuron nodes", aws, inferentia)
    trainium = _room(aws, demand, TRAINIUM_VCPU, demand.accelerated_vcpu("neuron", TRAINIUM))
    return _finding("vCPU of Neuron nodes", aws, trainium if trainium.fits else inferentia)


def _finding(check: str, aws: AwsReader, room: Room) -> PreflightFinding:
    if room.fits:
        return PreflightFinding(check, "ok", str(room))
    return PreflightFinding(check, "blocked", str(room), room.remedy(aws.region))


def _room(aws: AwsReader, demand: Demand, quota: Quota, needed: int) -> Room:
    return Room(quota, _allowed(aws, quota), quota.used(aws, demand), needed)


def _allowed(aws: AwsReader, quota: Quota) -> int:
    asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        answer = aws.ask("service-quotas", "get_service_quota", **asked)
    except Absent:  # nobody ever changed it in this account
        answer = aws.ask("service-quotas", "get_aws_default_service_quota", **asked)
    return int(answer["Quota"]["Value"])


def _vcpu(*families: str) -> Count:
    def used(aws: AwsReader, demand: Demand) -> int:
        reservations = aws.ask_all("ec2", "describe_instances", "Reservations", Filters=[RUNNING])
        running = Counter[str](
            instance["InstanceType"]
            for reservation in reservations
            for instance in reservation["Instances"]
            if _family(instance["InstanceType"]) in families
            and instance.get("InstanceLifecycle") != "spot"
            and not _is_own(instance, demand)
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


def _family(instance_type: str) -> str:
    """The letters that quotas go by: `g` of g6.xlarge, `inf` of inf2.xlarge, `c` of c7gn.large."""
    letters = re.match(r"[a-z]+", instance_type)
    return letters[0] if letters else instance_type


def _others(operation: str, key: str) -> Count:
    def used(aws: AwsReader, demand: Demand) -> int:
        return sum(not _is_own(thing, demand) for thing in aws.ask("ec2", operation)[key])

    return used


def _is_own(thing: Mapping[str, Any], demand: Demand) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}
    of_environment = tags.get("Project") == PROJECT and tags.get("Environment") == demand.settings.name.value
    return of_environment or demand.owned_tag in tags


ADDRESSES = Quota("Elastic IP addresses", "ec2", "L-0263D0A3", _others("describe_addresses", "Addresses"))
VPCS = Quota("VPCs in the region", "vpc", "L-F678F1CE", _others("describe_vpcs", "Vpcs"))
GPU_VCPU = Quota("vCPU of running On-Demand G and VT instances", "ec2", "L-DB2E81BA", _vcpu("g", "gr", "vt"))
INFERENTIA_VCPU = Quota("vCPU of running On-Demand Inf instances", "ec2", "L-1945791B", _vcpu("inf"))
TRAINIUM_VCPU = Quota("vCPU of running On-Demand Trn instances", "ec2", "L-2C3B7624", _vcpu("trn"))
STANDARD_VCPU = Quota(
    "vCPU of running On-Demand standard instances",
    "ec2",
    "L-1216C47A",
    _vcpu("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"),
)
