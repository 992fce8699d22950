"""The nodes that Karpenter may launch: pools of Graviton, GPU and Neuron instances, their limits, and their images."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.environment.instance_types import AcceleratorKind, InstanceType, known_families, types_of
from tasks.environment.schedule import Cron
from tasks.environment.section import NAME, Section

PoolKind = Literal["graviton", "gpu", "neuron"]
CapacityType = Literal["spot", "on-demand"]
MOST_PERCENT = 100
# Karpenter's own bound: https://karpenter.sh/docs/concepts/nodepools/#specweight
HEAVIEST = 100

Al2023 = Annotated[
    str, Field(pattern=r"^v20[0-9]{6}$", description='a release of the EKS AL2023 images, such as "v20260903"')
]
Bottlerocket = Annotated[
    str, Field(pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+$", description='a release of Bottlerocket, such as "v1.64.0"')
]
Accelerators = Annotated[int, Field(ge=1)]


class Images(Section):
    """The releases of the machine images: Bottlerocket for Graviton pools, AL2023 with its drivers for the others."""

    al2023: Al2023
    bottlerocket: Bottlerocket


class Limits(Section):
    """The most that all nodes of a pool have together; `accelerators` are GPUs or Neuron devices."""

    vcpu: Annotated[int, Field(ge=1)]
    memory_gib: Annotated[int, Field(ge=1)]
    accelerators: Accelerators | None = None

    def hold(self, instance: InstanceType) -> bool:
        """Whether a pool with these limits may have even one node of this type."""
        return (
            instance.vcpu <= self.vcpu
            and instance.memory_gib <= self.memory_gib
            and instance.accelerators <= (self.accelerators or 0)
        )


class QuietHours(Section):
    """From when (cron, UTC) and for how many hours no node that is in use is replaced or consolidated."""

    cron: Cron
    hours: Annotated[int, Field(ge=1, le=24)]


class Pool(Section):
    """Nodes of one kind. Of two pools that could serve a pod, the heavier `weight` is asked first.

    `largest_vcpu` leaves out larger instances; `node_days` is when a node is replaced by a new one at the latest;
    Karpenter consolidates after `idle_minutes` without a change of pods, and disturbs at most `at_once_percent` of the
    pool's nodes at once.
    """

    kind: PoolKind
    instance_families: Annotated[tuple[str, ...], Field(min_length=1)]
    capacity_types: Annotated[tuple[CapacityType, ...], Field(min_length=1)]
    limits: Limits
    weight: Annotated[int, Field(ge=1, le=HEAVIEST)] = 10
    largest_vcpu: Annotated[int, Field(ge=1)] | None = None
    disk_gib: Annotated[int, Field(ge=20)] = 100
    node_days: Annotated[int, Field(ge=1)] = 14
    idle_minutes: Annotated[int, Field(ge=0)] = 5
    at_once_percent: Annotated[int, Field(ge=1, le=MOST_PERCENT)] = 10
    quiet_hours: QuietHours | None = None

    @property
    def instance_types(self) -> tuple[InstanceType, ...]:
        """What Karpenter may launch for this pool, the cheapest first."""
        types = [each for family in self.instance_families for each in types_of(family)]
        allowed = [each for each in types if self.largest_vcpu is None or each.vcpu <= self.largest_vcpu]
        return tuple(sorted(allowed, key=lambda each: each.usd_hour))

    @property
    def accelerator_kind(self) -> AcceleratorKind | None:
        """What its nodes have beside processors; None for Graviton."""
        return None if self.kind == "graviton" else self.kind

    @field_validator("instance_families")
    @classmethod
    def _families_are_known(cls, families: tuple[str, ...]) -> tuple[str, ...]:
        for family in families:
            if family not in known_families():
                raise ValueError(
                    f"{family!r} is not a family in infra/instance-types.json; allowed are "
                    f"{', '.join(known_families())}"
                )
        return families

    @model_validator(mode="after")
    def _families_fit_the_kind(self) -> Self:
        fitting = [name for name in known_families() if _kind_of(name) == self.kind]
        for family in self.instance_families:
            if family not in fitting:
                raise ValueError(
                    f"kind = {self.kind!r}, but instance_families has {family!r}, whose instances are "
                    f"{_kind_of(family)}; allowed are {', '.join(fitting)}"
                )
        return self

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        if (self.accelerator_kind is None) != (self.limits.accelerators is None):
            rule = "has no limits.accelerators" if self.accelerator_kind is None else "needs limits.accelerators"
            raise ValueError(f"kind = {self.kind!r} {rule}")
        if not any(self.limits.hold(each) for each in self.instance_types):
            raise ValueError(
                f"limits: no instance type of {', '.join(self.instance_families)} fits into them"
                + (f" with largest_vcpu = {self.largest_vcpu}" if self.largest_vcpu is not None else "")
            )
        return self


class Capacity(Section):
    """What Karpenter may launch, by the name of the pool."""

    images: Images
    pools: dict[str, Pool]

    @model_validator(mode="after")
    def _everything_has_a_place(self) -> Self:
        for name in self.pools:
            if not re.fullmatch(NAME, name):
                raise ValueError(f"pools has {name!r}, but a name is of a-z, 0-9 and -, starting with a letter")
        if not any(pool.kind == "graviton" for pool in self.pools.values()):
            raise ValueError("pools has none with kind = 'graviton', on which everything without accelerators runs")
        return self

    @property
    def has_gpu(self) -> bool:
        """Whether a pool has GPUs, and so the cluster needs their drivers' device plugin."""
        return bool(self.of_kind("gpu"))

    @property
    def has_neuron(self) -> bool:
        """Whether a pool has Neuron devices, and so the cluster needs their device plugin."""
        return bool(self.of_kind("neuron"))

    def of_kind(self, kind: PoolKind) -> dict[str, Pool]:
        """The pools of a kind, by name."""
        return {name: pool for name, pool in self.pools.items() if pool.kind == kind}


def _kind_of(family: str) -> PoolKind:
    accelerator = known_families()[family].accelerator
    return "graviton" if accelerator is None else accelerator.kind
