"""Whether the account's quotas have room for the environment, beside what others use already.

What the environment itself uses already is not counted: it is part of what it needs.
Quota codes: https://docs.aws.amazon.com/general/latest/gr/ec2-service.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.preflight.aws import Absent, AwsReader
from tasks.preflight.demand import Demand
from tasks.preflight.finding import PreflightFinding
from tasks.resource_names import PROJECT

Count = Callable[[AwsReader, Demand], int]


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
    return quota_finding("elastic addresses", aws, [room_in(aws, demand, ADDRESSES, demand.addresses)])


def check_vpcs(aws: AwsReader, demand: Demand) -> PreflightFinding:
    """One more VPC in the region."""
    return quota_finding("VPCs", aws, [room_in(aws, demand, VPCS, 1)])


def quota_finding(check: str, aws: AwsReader, rooms: Sequence[Room]) -> PreflightFinding:
    """Blocked unless everything fits; says of each quota what is needed of it."""
    found = "; ".join(str(room) for room in rooms)
    remedies = [room.remedy(aws.region) for room in rooms if not room.fits]
    if remedies:
        return PreflightFinding(check, "blocked", found, "; ".join(remedies))
    return PreflightFinding(check, "ok", found)


def room_in(aws: AwsReader, demand: Demand, quota: Quota, needed: int) -> Room:
    """What AWS allows of a quota, and what others use.

    Raises:
        Absent, NotProved: AWS does not say.
    """
    return Room(quota, _allowed(aws, quota), quota.used(aws, demand), needed)


def is_own(thing: Mapping[str, Any], demand: Demand) -> bool:
    """Whether the environment made it, according to its tags."""
    tags = {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}
    of_environment = tags.get("Project") == PROJECT and tags.get("Environment") == demand.settings.name.value
    return of_environment or demand.owned_tag in tags


def _allowed(aws: AwsReader, quota: Quota) -> int:
    asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        answer = aws.ask("service-quotas", "get_service_quota", **asked)
    except Absent:  # nobody ever changed it in this account
        answer = aws.ask("service-quotas", "get_aws_default_service_quota", **asked)
    return int(answer["Quota"]["Value"])


def _others(operation: str, key: str) -> Count:
    def used(aws: AwsReader, demand: Demand) -> int:
        return sum(not is_own(thing, demand) for thing in aws.ask("ec2", operation)[key])

    return used


ADDRESSES = Quota("Elastic IP addresses", "ec2", "L-0263D0A3", _others("describe_addresses", "Addresses"))
VPCS = Quota("VPCs in the region", "vpc", "L-F678F1CE", _others("describe_vpcs", "Vpcs"))
