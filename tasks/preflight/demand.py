"""What an environment will ask of EC2: instance types, virtual CPUs, addresses."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from tasks.environment import Environment
from tasks.environment.capacity import Capacity, CapacityType, Pool, PoolKind
from tasks.environment.cluster import Cluster
from tasks.environment.instance_types import InstanceType
from tasks.environment.models import Model, Serving
from tasks.environment.network import Network
from tasks.environment.placement import POOL_KIND, pools_of, replicas_on, types_for
from tasks.resource_names import name_prefix


@dataclass(frozen=True)
class Launch:
    """A node that Karpenter may launch for a replica, and how it is paid for."""

    instance: InstanceType
    capacity_type: CapacityType


@dataclass(frozen=True)
class ServedModel:
    """A model that is served in the cluster, and the nodes that could hold a replica, the cheapest first."""

    name: str
    kind: PoolKind
    replicas: int
    serving: Serving
    launches: tuple[Launch, ...]

    def vcpu(self, instance: InstanceType) -> int:
        """The vCPU of as many nodes of this type as all replicas need."""
        return ceil(self.replicas / replicas_on(instance, self.serving)) * instance.vcpu


@dataclass(frozen=True)
class Demand:
    """The sections that only an environment on AWS has, and what follows from them."""

    settings: Environment
    network: Network
    cluster: Cluster
    capacity: Capacity

    @classmethod
    def of(cls, settings: Environment) -> "Demand":
        """The demand of an environment on AWS."""
        network, cluster, capacity = settings.network, settings.cluster, settings.capacity
        assert network is not None  # noqa: S101 - the model of the file guarantees all three on AWS
        assert cluster is not None  # noqa: S101
        assert capacity is not None  # noqa: S101
        return cls(settings, network, cluster, capacity)

    @property
    def zones(self) -> tuple[str, ...]:
        """The availability zones."""
        return tuple(self.network.zones)

    @property
    def addresses(self) -> int:
        """Elastic IP addresses: one for each NAT gateway."""
        return 1 if self.network.nat_gateways == "single" else len(self.network.zones)

    @property
    def owned_tag(self) -> str:
        """The tag that marks the nodes of this environment's cluster."""
        return f"kubernetes.io/cluster/{name_prefix(self.settings.name)}"

    def served(self, *kinds: PoolKind) -> list[ServedModel]:
        """The models with replicas that run on pools of these kinds."""
        return [
            ServedModel(name, POOL_KIND[model.runs_on], model.replicas, model.serving, self._launches(name, model))
            for name, model in self.settings.models.catalogue.items()
            if model.serving is not None and model.replicas and POOL_KIND[model.runs_on] in kinds
        ]

    def system_vcpu(self, system_node_vcpu: int) -> int:
        """The vCPU of the system nodes at their most."""
        return self.cluster.system_nodes.maximum * system_node_vcpu

    @property
    def shared_vcpu(self) -> int:
        """The least vCPU of nodes without accelerators: what shares them is counted without its neighbours."""
        embedding = sum(model.replicas * model.serving.cpus for model in self.served("graviton"))
        return embedding + self.settings.knowledge.embedding_workers

    @property
    def shared_capacity_type(self) -> CapacityType:
        """How nodes without accelerators are paid for when there is no Spot capacity."""
        on_demand = any(_surest(pool) == "on-demand" for pool in self.capacity.of_kind("graviton").values())
        return "on-demand" if on_demand else "spot"

    def _launches(self, name: str, model: Model) -> tuple[Launch, ...]:
        found = sorted(self._possible(name, model), key=lambda launch: launch.instance.usd_hour)
        return tuple(found)

    def _possible(self, name: str, model: Model) -> Iterator[Launch]:
        for pool in pools_of(name, model, self.capacity).values():
            assert model.serving is not None  # noqa: S101 - otherwise there are no pools
            for instance in types_for(model.serving, pool):
                yield Launch(instance, _surest(pool))


def _surest(pool: Pool) -> CapacityType:
    """Spot instances can be unavailable for days: a pool that may fall back to On-Demand must have room there."""
    return "on-demand" if "on-demand" in pool.capacity_types else "spot"
