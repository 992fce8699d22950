"""Whose cluster a kubeconfig leads to, asked of a real API server."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest

from rehearsal.cluster import Cluster
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.identity import (
    MARK_NAME,
    ClusterAddress,
    ClusterIdentity,
    WrongCluster,
    mark_cluster,
    read_mark,
    require_cluster,
)

pytestmark = [pytest.mark.kubernetes]
DEV = ClusterIdentity("dev", "111122223333", "us-east-1", "agentic-eks-dev")
PROD = replace(DEV, environment="prod", cluster="agentic-eks-prod")
MARK = f"/api/v1/namespaces/kube-system/configmaps/{MARK_NAME}"


@pytest.fixture(autouse=True)
def no_mark(kubernetes_cluster: Cluster) -> Iterator[None]:
    yield
    if kubernetes_cluster.api.exists(MARK):
        kubernetes_cluster.api.delete(MARK)


def own_address(connection: Connection) -> ClusterAddress:
    return ClusterAddress(connection.server, base64.b64encode(connection.certificate_authority.encode()).decode())


def test_an_unmarked_cluster_is_known_by_its_address_and_marked(connection: Connection) -> None:
    require_cluster(connection, DEV, own_address(connection))
    mark = read_mark(connection)
    assert mark is not None
    assert mark["environment"] == "dev"


def test_a_cluster_of_another_environment_is_refused(connection: Connection) -> None:
    mark_cluster(connection, PROD)
    with pytest.raises(WrongCluster, match=r"'prod', not 'dev'; its cluster is 'agentic-eks-prod'") as refused:
        require_cluster(connection, DEV, own_address(connection))
    assert "Nothing was changed; look at the ConfigMap 'agentic-eks-environment' in 'kube-system'" in str(refused.value)


def test_a_marked_cluster_may_move(connection: Connection) -> None:
    mark_cluster(connection, DEV)
    require_cluster(connection, DEV, ClusterAddress("https://elsewhere.example.com", ""))
    assert read_mark(connection) is not None


def test_an_unmarked_cluster_at_another_address_is_refused(connection: Connection) -> None:
    address = replace(own_address(connection), endpoint="https://elsewhere.example.com")
    with pytest.raises(
        WrongCluster, match=r"leads to https://127.0.0.1:\d+, but .* answers at https://elsewhere"
    ) as refused:
        require_cluster(connection, DEV, address)
    assert "`aws eks describe-cluster --name agentic-eks-dev`" in str(refused.value)
    assert read_mark(connection) is None


def test_an_unmarked_cluster_with_another_authority_is_refused(connection: Connection) -> None:
    address = replace(own_address(connection), certificate_authority=base64.b64encode(b"another").decode())
    with pytest.raises(WrongCluster, match="another certificate authority"):
        require_cluster(connection, DEV, address)
    assert read_mark(connection) is None
