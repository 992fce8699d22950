"""The instance types among which Karpenter chooses in a rehearsal: real sizes, in the form its kwok provider reads.

A node offers its pods what a real one would: less than the machine has, by what the kubelet and the hypervisor keep.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tasks.environment.instance_types import InstanceType, known_families, types_of

# Spot has no list price; this ranks it below on-demand, as it nearly always is.
SPOT_SHARE_OF_LIST_PRICE = 0.4
# What our node classes tell the kubelet: addresses are delegated to nodes by prefixes, so sizes do not limit it.
PODS = 110
# Karpenter's default for the share of memory that the hypervisor takes (VM_MEMORY_OVERHEAD_PERCENT).
_HYPERVISOR_SHARE = 0.075
_EVICTION_MIB = 100
# What the kwok provider takes off the capacity that it is told.
_TAKEN_OFF_MILLICPU = 100
_TAKEN_OFF_MIB = 10
# What a pool's default disk of 100 GiB leaves for pods.
_DISK = "90Gi"


def known_types() -> list[InstanceType]:
    """Every instance type that a pool may choose from."""
    return [each for family in known_families() for each in types_of(family)]


def allocatable_millicpu(vcpu: int) -> int:
    """CPU for pods; the kubelet reserves the share that Amazon's images let it reserve.

    https://github.com/awslabs/amazon-eks-ami: 6 % of the first CPU, 1 % of the second, 0.5 % of the next
    two, 0.25 % of the others.
    """
    reserved = 60 + 10 * min(vcpu - 1, 1) + 5 * min(max(vcpu - 2, 0), 2) + 2.5 * max(vcpu - 4, 0)
    return vcpu * 1000 - round(reserved)


def allocatable_mib(memory_gib: int) -> int:
    """Memory for pods; the kubelet reserves 255 MiB and 11 MiB a pod, and evicts below 100 MiB."""
    return int(memory_gib * 1024 * (1 - _HYPERVISOR_SHARE)) - 255 - 11 * PODS - _EVICTION_MIB


def instance_types(types: Iterable[InstanceType], zones: Sequence[str]) -> list[dict[str, Any]]:
    """Each of `types` in every one of `zones`, on demand and spot, as the kwok provider's instance-types file has them.

    AWS does not offer every type in every zone: which it does is not rehearsed.
    """
    return [_described(each, zones) for each in types]


def _described(instance: InstanceType, zones: Sequence[str]) -> dict[str, Any]:
    labels = _labels(instance)
    return {
        "name": instance.name,
        "architecture": instance.architecture,
        "operatingSystems": ["linux"],
        "resources": {
            "cpu": f"{allocatable_millicpu(instance.vcpu) + _TAKEN_OFF_MILLICPU}m",
            "memory": f"{allocatable_mib(instance.memory_gib) + _TAKEN_OFF_MIB}Mi",
            "ephemeral-storage": _DISK,
            "pods": str(PODS),
            **_accelerator_resources(instance),
        },
        "offerings": [
            {
                "Price": round(instance.usd_hour * share, 6),
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


def _labels(instance: InstanceType) -> dict[str, str]:
    """What Karpenter knows of an instance type on AWS: https://karpenter.sh/docs/reference/instance-types/"""
    category, generation, _ = re.split(r"(\d+)", instance.family, maxsplit=1)
    labels = {
        "instance-category": category,
        "instance-generation": generation,
        "instance-family": instance.family,
        "instance-size": instance.size,
        "instance-cpu": str(instance.vcpu),
        "instance-cpu-manufacturer": instance.cpu_manufacturer,
        "instance-memory": str(instance.memory_gib * 1024),
        "instance-hypervisor": "nitro",
    }
    accelerator = instance.accelerator
    if accelerator is not None:
        kind = "gpu" if accelerator.kind == "gpu" else "accelerator"
        labels |= {
            f"instance-{kind}-name": accelerator.name,
            f"instance-{kind}-manufacturer": accelerator.manufacturer,
            f"instance-{kind}-count": str(instance.accelerators),
        }
        if kind == "gpu":
            labels["instance-gpu-memory"] = str(accelerator.memory_mib)
    return {f"karpenter.k8s.aws/{name}": value for name, value in labels.items()}


def _accelerator_resources(instance: InstanceType) -> dict[str, str]:
    accelerator, count = instance.accelerator, instance.accelerators
    if accelerator is None:
        return {}
    if accelerator.kind == "gpu":
        return {"nvidia.com/gpu": str(count)}
    return {"aws.amazon.com/neuron": str(count), "aws.amazon.com/neuroncore": str(count * (accelerator.cores or 0))}


def _is(label: str, value: str) -> dict[str, Any]:
    return {"key": label, "operator": "In", "values": [value]}
