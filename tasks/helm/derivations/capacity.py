"""The derived values of the release of capacity: node pools from the environment file, their place from Terraform."""

from collections.abc import Mapping

from tasks.environment import Environment
from tasks.environment.capacity import Images, Limits, Pool, PoolKind
from tasks.helm.derivations import access
from tasks.helm.derivations.derivation import Derivation, Outputs

# Pods that ask for a device tolerate the taint of its name.
DEVICES: Mapping[PoolKind, str] = {"gpu": "nvidia.com/gpu", "neuron": "aws.amazon.com/neuron"}


def capacity(settings: Environment, outputs: Outputs) -> Mapping[str, object]:
    """The values of `infra/charts/capacity`.

    Raises:
        ValueError: the environment has no section capacity.
    """
    if settings.capacity is None or settings.network is None:
        raise ValueError(f"environment.name = {settings.name.value!r}: capacity is for environments on AWS only")
    cluster = outputs["cluster"]
    return {
        "zones": sorted(settings.network.zones),
        "nodes": {
            "instanceProfile": cluster["karpenter"]["instance_profile_name"],
            "securityGroup": cluster["security_group_id"],
            "subnets": sorted(outputs["network"]["subnet_ids"]["private"].values()),
            "tags": {"Project": "agentic-eks", "Environment": settings.name.value},
        },
        "pools": {name: _pool(pool, settings.capacity.images) for name, pool in settings.capacity.pools.items()},
    }


def _pool(pool: Pool, images: Images) -> Mapping[str, object]:
    (architecture,) = {each.architecture for each in pool.instance_types}
    values: dict[str, object] = {
        "kind": pool.kind,
        "architecture": architecture,
        "image": f"bottlerocket@{images.bottlerocket}" if pool.kind == "graviton" else f"al2023@{images.al2023}",
        "families": list(pool.instance_families),
        "capacityTypes": list(pool.capacity_types),
        "limits": _limits(pool.limits, pool.kind),
        "weight": pool.weight,
        "diskGib": pool.disk_gib,
        "expireAfter": f"{pool.node_days * 24}h",
        "consolidateAfter": f"{pool.idle_minutes}m",
        "atOnce": f"{pool.at_once_percent}%",
    }
    if pool.largest_vcpu is not None:
        values["largestVcpu"] = pool.largest_vcpu
    if pool.kind in DEVICES:
        values["taint"] = DEVICES[pool.kind]
    if pool.quiet_hours is not None:
        values["quiet"] = {"schedule": pool.quiet_hours.cron, "duration": f"{pool.quiet_hours.hours}h"}
    return values


def _limits(limits: Limits, kind: PoolKind) -> Mapping[str, str]:
    values = {"cpu": str(limits.vcpu), "memory": f"{limits.memory_gib}Gi"}
    return values | ({DEVICES[kind]: str(limits.accelerators)} if kind in DEVICES else {})


DERIVATIONS: Mapping[str, Derivation] = {"capacity": capacity, **access.DERIVATIONS}
