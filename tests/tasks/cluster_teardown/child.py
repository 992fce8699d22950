"""A process that empties the cluster of dev, for tests that kill it."""

import sys
from pathlib import Path

from prefect import flow

from flows.cluster_teardown import remove_in_order
from tasks.eks_cluster import find_cluster
from tasks.environment.variable_file import load_environment
from tasks.helm.target import open_target
from tasks.kubernetes.identity import ClusterAddress, ClusterIdentity, Destination

IDENTITY = ClusterIdentity("dev", "111122223333", "us-east-1", "agentic-eks-dev")
ADDRESS = ClusterAddress("https://cluster.example.com", "")


@flow(persist_result=False)
def tear_down(kubeconfig: str) -> list[str]:
    """Everything that teardown does in the cluster."""
    settings = load_environment("dev")
    cluster = find_cluster(settings)
    assert cluster is not None
    with open_target(settings, Destination(Path(kubeconfig), IDENTITY, ADDRESS)) as target:
        return remove_in_order(settings, cluster, target)


if __name__ == "__main__":
    tear_down(sys.argv[1])
