"""Why pods wait, of a cluster with a scheduler and without Karpenter; what Karpenter says is tested with the charts."""

import uuid
from typing import Any

import pytest

from rehearsal.cluster import Cluster
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.unschedulable import unschedulable_pods

pytestmark = pytest.mark.kubernetes


def pod(name: str, cpu: str) -> dict[str, Any]:
    container = {"name": "main", "image": "example", "resources": {"requests": {"cpu": cpu}}}
    metadata = {"name": name, "namespace": "default", "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def test_without_karpenter_the_scheduler_says_why(kubernetes_cluster: Cluster, connection: Connection) -> None:
    name = f"huge-{uuid.uuid4().hex[:8]}"
    kubernetes_cluster.api.apply(pod(name, "1000"))
    path = f"/api/v1/namespaces/default/pods/{name}"
    kubernetes_cluster.api.wait_until(path, lambda found: bool(found["status"].get("conditions")))

    (said,) = unschedulable_pods(connection, "default", {"app": name})

    assert said.startswith(f"1 pod waits for a node, such as {name}: the scheduler says: 0/")
    assert "Insufficient cpu" in said
    kubernetes_cluster.api.delete(path)


def test_a_pod_with_a_node_is_no_reason(kubernetes_cluster: Cluster, connection: Connection) -> None:
    name = f"small-{uuid.uuid4().hex[:8]}"
    kubernetes_cluster.api.apply(pod(name, "1m"))
    path = f"/api/v1/namespaces/default/pods/{name}"
    kubernetes_cluster.api.wait_until(path, lambda found: "nodeName" in found["spec"])

    assert unschedulable_pods(connection, "default", {"app": name}) == []
    assert unschedulable_pods(connection, "default", {"app": "nobody"}) == []
    kubernetes_cluster.api.delete(path)
