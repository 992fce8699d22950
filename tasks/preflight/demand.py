"""What an environment will ask of EC2: instance types, virtual CPUs, addresses."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.environment import Environment
from tasks.environment.cluster import Cluster
from tasks.environment.models import RunsOn
from tasks.environment.network import Network
from tasks.resource_names import name_prefix

# The smallest instance types that serve a model of the catalogue's sizes, and the vCPU of each.
GPU = {"g6.xlarge": 4, "g5.xlarge": 4, "g6e.xlarge": 4}
INFERENTIA = {"inf2.xlarge": 4}
TRAINIUM = {"trn1.2xlarge": 8}


@dataclass(frozen=True)
class Demand:
    """The sections that only an environment on AWS has, and what follows from them."""

    settings: Environment
    network: Network
    cluster: Cluster

    @classmethod
    def of(cls, settings: Environment) -> "Demand":
        """The demand of an environment on AWS."""
        network, cluster = settings.network, settings.cluster
        assert network is not None  # noqa: S101 - the model of the file guarantees both on AWS
        assert cluster is not None  # noqa: S101
        return cls(settings, network, cluster)

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

    def replicas(self, runs_on: RunsOn) -> int:
        """How many replicas of models run on such nodes."""
        return sum(model.replicas for model in self.settings.models.catalogue.values() if model.runs_on == runs_on)

    def accelerated_vcpu(self, runs_on: RunsOn, types: Mapping[str, int]) -> int:
        """The least vCPU that serve these replicas: a node of the smallest of `types` for each."""
        return self.replicas(runs_on) * min(types.values())

    def standard_vcpu(self, system_node_vcpu: int) -> int:
        """The least vCPU of all other nodes: system nodes at their most, embedding models, and a refresh."""
        catalogue = self.settings.models.catalogue.values()
        embedding = sum(model.replicas * model.threads for model in catalogue if model.runs_on == "kuberay")
        system = self.cluster.system_nodes.maximum * system_node_vcpu
        return system + embedding + self.settings.knowledge.embedding_workers
