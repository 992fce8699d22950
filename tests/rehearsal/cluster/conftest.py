"""A cluster with its controllers, and documents for it."""

from collections.abc import Iterator

import pytest

from rehearsal.cluster import Cluster, running_cluster, running_karpenter, running_ray_operator
from tests.conftest import ZONES


@pytest.fixture(scope="module")
def cluster_with_controllers() -> Iterator[Cluster]:
    """A cluster of its own, because node pools take up every pod that waits: Karpenter and the KubeRay operator run."""
    with running_cluster() as cluster, running_karpenter(cluster, ZONES), running_ray_operator(cluster):
        yield cluster
