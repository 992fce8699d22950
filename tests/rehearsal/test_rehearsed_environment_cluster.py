"""The environment's cluster in a rehearsal, reached as the flows reach it."""

from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster
from rehearsal.environment_cluster import running_environment_cluster
from tasks.environment import Environment
from tasks.environment.variable_file import load_environment
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tests.rehearsal.eks_cluster import eks_records

pytestmark = [pytest.mark.kubernetes]


@pytest.fixture
def dev(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    return load_environment("dev")


@pytest.mark.parametrize("started_before", [False, True])
def test_flows_reach_it_whether_it_is_started_or_was_there(
    dev: Environment, emulated_aws: EmulatedAws, kubernetes_cluster: Cluster, started_before: bool
) -> None:
    kubeconfig: Path | None = kubernetes_cluster.kubeconfig if started_before else None
    with (
        running_environment_cluster(dev, emulated_aws, kubeconfig) as cluster,
        eks_records(emulated_aws, "agentic-eks-dev") as outputs,
        open_environment_cluster(dev, outputs) as destination,
        open_connection(destination.kubeconfig) as connection,
    ):
        asked: Any = client.AuthenticationV1Api(connection.api).create_self_subject_review({})
        assert asked.status.user_info.username.endswith("assumed-role/agentic-eks-dev-cluster-admin/agentic-eks-flow")
        nodes: Any = client.CoreV1Api(connection.api).list_node(label_selector="agentic-eks/pool=system")
        assert len(nodes.items) == 2
        kinds: Any = client.CustomObjectsApi(connection.api)
        assert kinds.list_cluster_custom_object("karpenter.sh", "v1", "nodepools")["items"] == []
        for node in nodes.items:
            cluster.api.delete(f"/api/v1/nodes/{node.metadata.name}")
