"""The EKS cluster of an environment: its Kubernetes minor, who reaches its API, its system nodes and add-ons."""

import json
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from tasks.environment.network import PRIVATE, Cidr
from tasks.environment.observability import LogDays
from tasks.environment.section import Section, Text

ADDON_VERSIONS = Path(__file__).resolve().parents[2] / "infra" / "addon-versions.json"
GRAVITON = r"^(a1|[a-z]+[0-9]+g[a-z]*)\.[0-9a-z-]+$"

InstanceType = Annotated[
    str, Field(pattern=GRAVITON, description='a Graviton (arm64) instance type, such as "m7g.large"')
]
LARGEST_SERVICE_RANGE, SMALLEST_SERVICE_RANGE = 12, 24


@cache
def known_addons() -> dict[str, dict[str, tuple[str, ...]]]:
    """The versions of each managed add-on by Kubernetes minor, the one that is taken by itself first."""
    listed = json.loads(ADDON_VERSIONS.read_text(encoding="utf-8"))
    return {minor: {name: tuple(versions) for name, versions in addons.items()} for minor, addons in listed.items()}


class SystemNodes(Section):
    """The Graviton nodes of critical add-ons."""

    instance_types: Annotated[tuple[InstanceType, ...], Field(min_length=1)]
    minimum: Annotated[int, Field(ge=2)]
    maximum: Annotated[int, Field(ge=2)]
    disk_gib: Annotated[int, Field(ge=20)] = 50

    @model_validator(mode="after")
    def _room_to_grow(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum = {self.maximum} is below minimum = {self.minimum}")
        return self


class Cluster(Section):
    """The EKS cluster; an empty `public_access_cidrs` means that its API is reached from the VPC only."""

    kubernetes_version: Text
    service_cidr: Cidr = "172.20.0.0/16"
    public_access_cidrs: tuple[Cidr, ...] = ()
    log_days: LogDays
    system_nodes: SystemNodes
    addon_versions: dict[str, Text] = Field(default={})

    @model_validator(mode="after")
    def _services_have_private_addresses(self) -> Self:
        services = IPv4Network(self.service_cidr)
        private = any(services.subnet_of(cidr) for cidr in PRIVATE)
        if not private or not LARGEST_SERVICE_RANGE <= services.prefixlen <= SMALLEST_SERVICE_RANGE:
            raise ValueError(
                f"service_cidr = {self.service_cidr!r} must be a private range from /{LARGEST_SERVICE_RANGE} to "
                f"/{SMALLEST_SERVICE_RANGE}"
            )
        return self

    @model_validator(mode="after")
    def _addons_are_known(self) -> Self:
        minors = known_addons()
        if self.kubernetes_version not in minors:
            raise ValueError(
                f"kubernetes_version = {self.kubernetes_version!r} has no add-ons in infra/addon-versions.json; "
                f"allowed are {', '.join(minors)}"
            )
        addons = minors[self.kubernetes_version]
        for name, version in self.addon_versions.items():
            if name not in addons:
                raise ValueError(f"addon_versions has the unknown add-on {name!r}; allowed are {', '.join(addons)}")
            if version not in addons[name]:
                raise ValueError(
                    f"addon_versions.{name} = {version!r} is not known for Kubernetes {self.kubernetes_version}; "
                    f"allowed are {', '.join(addons[name])}"
                )
        return self
