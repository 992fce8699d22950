"""The VPC of an environment on AWS: its addresses, the subnets of each zone, and its ways out."""

from ipaddress import IPv4Network
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tasks.environment.observability import LogDays
from tasks.environment.section import Section

Placement = Literal["single", "per_zone"]
Service = Literal[
    "ecr.api",
    "ecr.dkr",
    "ec2",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "sts",
    "logs",
    "ssm",
    "secretsmanager",
    "sqs",
    "aps-workspaces",
    "bedrock-runtime",
    "ebs",
]

LARGEST_VPC, SMALLEST_VPC = 16, 18
SMALLEST_SUBNET = {"public": 26, "private": 20, "intra": 28}
FEWEST_ZONES = 3
PRIVATE = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
CARRIER_GRADE = IPv4Network("100.64.0.0/10")
"""No private range (RFC 6598), but nothing of the internet either; VPCs use it for their second ranges."""


def _range(text: str) -> str:
    try:
        IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not an IPv4 range that starts at its first address: {error}") from error
    return text


def overlap(one: str, other: str) -> bool:
    """Whether two IPv4 ranges, such as "10.0.0.0/16", share an address."""
    return IPv4Network(one).overlaps(IPv4Network(other))


Cidr = Annotated[
    str,
    Field(pattern=r"^[0-9.]+/[0-9]+$", description='an IPv4 range, such as "10.40.0.0/16"'),
    AfterValidator(_range),
]


class Subnets(Section):
    """The subnets of a zone: load balancers in `public`, nodes and pods in `private`, the control plane in `intra`."""

    public: Cidr
    private: Cidr
    intra: Cidr

    @model_validator(mode="after")
    def _large_enough(self) -> Self:
        for tier, smallest in SMALLEST_SUBNET.items():
            cidr = getattr(self, tier)
            if IPv4Network(cidr).prefixlen > smallest:
                raise ValueError(f"{tier} = {cidr!r} is too small; it must be /{smallest} or larger")
        return self


class InterfaceEndpoints(Section):
    """Which AWS services are reached inside the VPC, in one zone (`single`) or in each (`per_zone`)."""

    placement: Placement
    services: tuple[Service, ...] = (
        "ecr.api",
        "ecr.dkr",
        "ec2",
        "eks",
        "eks-auth",
        "elasticloadbalancing",
        "sts",
        "logs",
        "ssm",
        "secretsmanager",
        "sqs",
        "aps-workspaces",
        "bedrock-runtime",
    )


class Network(Section):
    """The VPC; `nat_gateways` is one for all zones (`single`) or one for each (`per_zone`).

    `neighbours` are private networks beyond it, such as peered VPCs, where the agents find Prefect or Langfuse.
    """

    cidr: Cidr
    zones: dict[str, Subnets]
    nat_gateways: Placement
    interface_endpoints: InterfaceEndpoints
    flow_log_days: LogDays
    neighbours: tuple[Cidr, ...] = ()

    @model_validator(mode="after")
    def _neighbours_are_private_and_apart(self) -> Self:
        for index, neighbour in enumerate(self.neighbours):
            if not any(IPv4Network(neighbour).subnet_of(private) for private in (*PRIVATE, CARRIER_GRADE)):
                raise ValueError(
                    f"neighbours.{index} = {neighbour!r} is not private: public addresses are reached anyway"
                )
            if overlap(neighbour, self.cidr):
                raise ValueError(f"neighbours.{index} = {neighbour!r} overlaps cidr = {self.cidr!r}")
        return self

    @model_validator(mode="after")
    def _the_vpc_has_room(self) -> Self:
        if not LARGEST_VPC <= IPv4Network(self.cidr).prefixlen <= SMALLEST_VPC:
            raise ValueError(
                f"cidr = {self.cidr!r} must be from /{LARGEST_VPC} to /{SMALLEST_VPC}: a smaller one has no room for "
                "three zones of pods, a larger one AWS refuses"
            )
        if len(self.zones) < FEWEST_ZONES:
            raise ValueError(f"zones has {len(self.zones)} of at least {FEWEST_ZONES} availability zones")
        return self

    @model_validator(mode="after")
    def _subnets_lie_inside_and_apart(self) -> Self:
        vpc = IPv4Network(self.cidr)
        subnets = [
            (f"zones.{zone}.{tier}", IPv4Network(cidr))
            for zone, tiers in self.zones.items()
            for tier, cidr in tiers.model_dump().items()
        ]
        for key, subnet in subnets:
            if not subnet.subnet_of(vpc) or subnet == vpc:
                raise ValueError(f"{key} = {str(subnet)!r} does not lie inside cidr = {self.cidr!r}")
        for (key, subnet), (other_key, other) in combinations(subnets, 2):
            if subnet.overlaps(other):
                raise ValueError(f"{key} = {str(subnet)!r} overlaps {other_key} = {str(other)!r}")
        return self
