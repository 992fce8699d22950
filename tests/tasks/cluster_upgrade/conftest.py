"""A cluster of its own, because node pools take up every pod that waits."""

from collections.abc import Iterator

import pytest

from rehearsal.cluster import Cluster, SimulatedNode, running_cluster, running_karpenter
from tasks.environment.variable_file import load_environment
from tasks.helm.target import open_target
from tasks.helm.upgrade import Target
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.identity import ClusterAddress, ClusterIdentity, Destination, mark_cluster
from tests.conftest import ZONES

IDENTITY = ClusterIdentity("dev", "111122223333", "us-east-1", "agentic-eks-dev")


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    """With Karpenter, and a system node for nobody."""
    taint = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NoSchedule"}
    with running_cluster() as cluster, running_karpenter(cluster, ZONES):
        cluster.add_nodes([SimulatedNode("system", ZONES[0], "us-east-1", taints=(taint,))])
        with open_connection(cluster.kubeconfig) as connection:
            mark_cluster(connection, IDENTITY)
        yield cluster


@pytest.fixture
def target(cluster: Cluster) -> Iterator[Target]:
    nowhere = ClusterAddress("https://cluster.example.com", "")
    with open_target(load_environment("dev"), Destination(cluster.kubeconfig, IDENTITY, nowhere)) as target:
        yield target
