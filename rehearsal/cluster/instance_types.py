"""The instance types among which Karpenter chooses in a rehearsal: real sizes, in the form its kwok provider reads.

A node offers its pods what a real one would: less than the machine has, by what the kubelet and the hypervisor keep.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

SIZES = Path(__file__).with_name("instance_sizes.yaml")
# Spot has no list price; this ranks it below on-demand, as it nearly always is.
SPOT_SHARE_OF_LIST_PRICE = 0.4
# Karpenter's default for the share of memory that the hypervisor takes (VM_MEMORY_OVERHEAD_PERCENT).
_HYPERVISOR_SHARE = 0.075
_EVICTION_MIB = 100
# What the kwok provider takes off the capacity that it is told.
_TAKEN_OFF_MILLICPU = 100
_TAKEN_OFF_MIB = 10
_CORES_PER_NEURON_DEVICE = 2
_DISK = "18Gi"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Accelerator(_Strict):
    """A kind of GPU or Neuron device."""

    kind: Literal["gpu", "neuron"]
    name: str
    manufacturer: str
    memory_mib: int


class Size(_Strict):
    """One instance type of a family; `usd` is an hour's list price on demand."""

    cpus: int
    memory_gib: int
    usd: float
    accelerators: int = 0

    @property
    def pods(self) -> int:
        """How many pods EKS recommends with prefix delegation.

        https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
        """
        return 110 if self.cpus < 30 else 250

    @property
    def allocatable_millicpu(self) -> int:
        """CPU for pods; the kubelet reserves the share that Amazon's images let it reserve.

        https://github.com/awslabs/amazon-eks-ami: 6 % of the first CPU, 1 % of the second, 0.5 % of the next
        two, 0.25 % of the others.
        """
        reserved = 60 + 10 * min(self.cpus - 1, 1) + 5 * min(max(self.cpus - 2, 0), 2) + 2.5 * max(self.cpus - 4, 0)
        return self.cpus * 1000 - round(reserved)

    @property
    def allocatable_mib(self) -> int:
        """Memory for pods; the kubelet reserves 255 MiB and 11 MiB a pod, and evicts below 100 MiB."""
        return int(self.memory_gib * 1024 * (1 - _HYPERVISOR_SHARE)) - 255 - 11 * self.pods - _EVICTION_MIB


class Family(_Strict):
    """Instance types that differ in size only."""

    architecture: Literal["arm64", "amd64"]
    cpu_manufacturer: str
    sizes: dict[str, Size]
    accelerator: Accelerator | None = None


class InstanceSizes(_Strict):
    """The reviewed table; `as_of` dates its prices."""

    as_of: str
    families: dict[str, Family] = Field(min_length=1)


def read_sizes() -> InstanceSizes:
    """The table of this directory."""
    return InstanceSizes.model_validate(yaml.safe_load(SIZES.read_text(encoding="utf-8")))


def instance_types(sizes: InstanceSizes, zones: Sequence[str]) -> list[dict[str, Any]]:
    """Every size in every one of `zones`, on demand and spot, as the kwok provider's instance-types file has them.

    AWS does not offer every type in every zone: which it does is not rehearsed.
    """
    return [
        _instance_type(family_name, family, size_name, size, zones)
        for family_name, family in sizes.families.items()
        for size_name, size in family.sizes.items()
    ]


def _instance_type(
    family_name: str, family: Family, size_name: str, size: Size, zones: Sequence[str]
) -> dict[str, Any]:
    labels = _labels(family_name, family, size_name, size)
    return {
        "name": f"{family_name}.{size_name}",
        "architecture": family.architecture,
        "operatingSystems": ["linux"],
        "resources": {
            "cpu": f"{size.allocatable_millicpu + _TAKEN_OFF_MILLICPU}m",
            "memory": f"{size.allocatable_mib + _TAKEN_OFF_MIB}Mi",
            "ephemeral-storage": _DISK,
            "pods": str(size.pods),
            **_accelerator_resources(family.accelerator, size.accelerators),
        },
        "offerings": [
            {
                "Price": round(size.usd * share, 6),
                "Available": True,
                "Requirements": [
                    _is("karpenter.sh/capacity-type", capacity_type),
                    _is("topology.kubernetes.io/zone", zone),
                    *(_is(label, value) for label, value in labels.items()),
                ],
            }
            for capacity_type, share in (("on-demand", 1.0), ("spot", SPOT_SHARE_OF_LIST_PRICE))
            for zone in zones
        ],
    }


def _labels(family_name: str, family: Family, size_name: str, size: Size) -> dict[str, str]:
    """What Karpenter knows of an instance type on AWS: https://karpenter.sh/docs/concepts/scheduling/"""
    category, generation, _ = re.split(r"(\d+)", family_name, maxsplit=1)
    labels = {
        "instance-category": category,
        "instance-generation": generation,
        "instance-family": family_name,
        "instance-size": size_name,
        "instance-cpu": str(size.cpus),
        "instance-cpu-manufacturer": family.cpu_manufacturer,
        "instance-memory": str(size.memory_gib * 1024),
        "instance-hypervisor": "nitro",
    }
    if family.accelerator is not None:
        kind = "gpu" if family.accelerator.kind == "gpu" else "accelerator"
        labels |= {
            f"instance-{kind}-name": family.accelerator.name,
            f"instance-{kind}-manufacturer": family.accelerator.manufacturer,
            f"instance-{kind}-count": str(size.accelerators),
        }
        if kind == "gpu":
            labels["instance-gpu-memory"] = str(family.accelerator.memory_mib)
    return {f"karpenter.k8s.aws/{name}": value for name, value in labels.items()}


def _accelerator_resources(accelerator: Accelerator | None, count: int) -> dict[str, str]:
    if accelerator is None:
        return {}
    if accelerator.kind == "gpu":
        return {"nvidia.com/gpu": str(count)}
    return {"aws.amazon.com/neuron": str(count), "aws.amazon.com/neuroncore": str(count * _CORES_PER_NEURON_DEVICE)}


def _is(label: str, value: str) -> dict[str, Any]:
    return {"key": label, "operator": "In", "values": [value]}
