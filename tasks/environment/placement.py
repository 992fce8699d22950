"""Which pools of nodes can hold a model: kind, accelerators, processors and memory of their instance types."""

from tasks.environment.capacity import Capacity, Pool, PoolKind
from tasks.environment.instance_types import InstanceType
from tasks.environment.models import Model, Models, RunsOn, Serving

POOL_KIND: dict[RunsOn, PoolKind] = {"gpu": "gpu", "neuron": "neuron", "kuberay": "graviton"}
# What hypervisor, kubelet and the pods of every node keep to themselves, of a node and of its memory.
KEPT_VCPU = 1
KEPT_SHARE = 0.1
KEPT_GIB = 1.5


class NoPlace(ValueError):
    """No pool can hold a model: says why, and what there is."""


def pools_of(name: str, model: Model, capacity: Capacity) -> dict[str, Pool]:
    """The pools that can hold a replica of the model called `name`, by name.

    Raises:
        NoPlace: there is none.
    """
    serving = model.serving
    assert serving is not None  # noqa: S101 - the model of the file guarantees it for whatever needs a pool
    kind, key = POOL_KIND[model.runs_on], f"models.catalogue.{name}"
    pools = capacity.of_kind(kind)
    if not pools:
        raise NoPlace(f"{key}.runs_on = {model.runs_on!r} needs a pool with kind = {kind!r}; capacity.pools has none")
    if serving.pool is not None:
        if serving.pool not in pools:
            raise NoPlace(
                f"{key}.serving.pool = {serving.pool!r} is not a pool with kind = {kind!r}; allowed are "
                f"{', '.join(pools)}"
            )
        pools = {serving.pool: pools[serving.pool]}
    fitting = {pool: facts for pool, facts in pools.items() if types_for(serving, facts)}
    if not fitting:
        raise NoPlace(_reason(key, pools, serving))
    return fitting


def types_for(serving: Serving, pool: Pool) -> tuple[InstanceType, ...]:
    """The instance types of a pool that hold a replica and that its limits allow, the cheapest first."""
    return tuple(each for each in pool.instance_types if _holds(each, serving) and pool.limits.hold(each))


def replicas_on(instance: InstanceType, serving: Serving) -> int:
    """How many replicas one node holds, beside what every node keeps to itself."""
    vcpu = instance.vcpu - KEPT_VCPU
    memory_gib = instance.memory_gib * (1 - KEPT_SHARE) - KEPT_GIB
    most = min(vcpu // serving.cpus, int(memory_gib // serving.memory_gib))
    return most if serving.accelerators is None else min(most, instance.accelerators // serving.accelerators)


def require_places(models: Models, capacity: Capacity) -> None:
    """Refuse a catalogue of which a model fits on no node, or whose replicas are more than the pools may have.

    Raises:
        NoPlace: says which model, and what its pools have.
    """
    for name, model in models.catalogue.items():
        if model.serving is None:
            continue
        pools = pools_of(name, model, capacity)
        wanted = model.replicas * (model.serving.accelerators or 0)
        limit = sum(pool.limits.accelerators or 0 for pool in pools.values())
        if wanted > limit:
            raise NoPlace(
                f"models.catalogue.{name}: {model.replicas} replicas need {wanted} accelerators, but the limits of "
                f"{', '.join(pools)} are {limit} together"
            )


def _holds(instance: InstanceType, serving: Serving) -> bool:
    return replicas_on(instance, serving) > 0 and _has_cores(instance, serving)


def _has_cores(instance: InstanceType, serving: Serving) -> bool:
    if serving.neuron is None:
        return True
    devices, device = serving.accelerators or 0, instance.accelerator
    return device is not None and (device.cores or 0) * devices >= serving.neuron.cores


def _reason(key: str, pools: dict[str, Pool], serving: Serving) -> str:
    types = [each for pool in pools.values() for each in pool.instance_types]
    too_large = [each.name for each in types if _holds(each, serving)]
    counts = sorted({each.accelerators for each in types})
    where = f"the pools {', '.join(pools)}"
    if too_large:
        return f"{key}.serving: what could hold it, {', '.join(too_large)}, is more than the limits of {where} allow"
    if serving.accelerators is not None and serving.accelerators > counts[-1]:
        return (
            f"{key}.serving.accelerators = {serving.accelerators}, but no instance type of {where} has so many; there "
            f"are some with {', '.join(map(str, counts))}"
        )
    if serving.neuron is not None and not any(_has_cores(each, serving) for each in types):
        cores = max((each.accelerator.cores or 0) for each in types if each.accelerator)
        return (
            f"{key}.serving.neuron.cores = {serving.neuron.cores}, but {serving.accelerators} devices of {where} have "
            f"{cores * (serving.accelerators or 0)}"
        )
    largest = max(types, key=lambda each: each.vcpu)
    return (
        f"{key}.serving: no instance type of {where} holds {serving.cpus} cpus and {serving.memory_gib} GiB beside "
        f"what a node needs itself; the largest, {largest.name}, has {largest.vcpu} and {largest.memory_gib} GiB"
    )
