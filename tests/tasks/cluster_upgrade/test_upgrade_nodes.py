"""Nodes of the old minor, followed while the real Karpenter replaces them.

A change of the pool's labels stands for the new image of a new control plane: both are drift to Karpenter.
"""

from typing import Any

import pytest

from rehearsal.cluster import Cluster
from tasks.cluster_upgrade.nodes import older_nodes, replace_karpenter_nodes
from tasks.helm.upgrade import Target
from tasks.progress import NoProgress
from tests.rehearsal.cluster.workloads import deployment, namespace, node_pool, pod_template, ready

pytestmark = pytest.mark.kubernetes
PATIENCE_SECONDS = 10
POOL = "karpenter.sh/nodepool"


def pool(labels: dict[str, str], nodes: str) -> dict[str, Any]:
    document = node_pool("upgraded", ["m7g"])
    document["spec"]["disruption"]["budgets"] = [{"nodes": nodes}]
    document["spec"]["template"]["metadata"] = {"labels": labels}
    return document


def age(target: Target, node: str) -> None:
    body = {"status": {"nodeInfo": {"kubeletVersion": "v1.34.6-eks-abc"}}}
    path = f"/api/v1/nodes/{node}/status"
    target.connection.patch("age the node", path, body, "application/strategic-merge-patch+json")


def stuck(target: Target) -> str:
    with pytest.raises(NoProgress) as error:
        replace_karpenter_nodes.fn(target.connection, "1.35", PATIENCE_SECONDS)
    return str(error.value)


def test_nodes_are_replaced_and_what_holds_one_up_is_named(cluster: Cluster, target: Target) -> None:
    where = namespace(cluster)
    template = pod_template("web", {"cpu": "1500m", "memory": "3Gi"})
    cluster.api.apply(pool({"made": "before"}, "0"), deployment(where, "web", 2, template))
    old = sorted(node["metadata"]["name"] for node in ready(cluster, where, "web", 2))
    for name in old:
        age(target, name)
    assert sorted(older_nodes(target.connection, "1.35", POOL)) == old

    assert f"node '{old[0]}': the disruption budget nodes = '0' of NodePool 'upgraded'" in stuck(target)

    cluster.api.apply(pool({"made": "before"}, "100%"))
    assert f"node '{old[0]}': Karpenter sees no drift" in stuck(target)

    budget: dict[str, Any] = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "all-stay", "namespace": where},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    }
    cluster.api.apply(budget)
    path = f"/apis/policy/v1/namespaces/{where}/poddisruptionbudgets/all-stay"
    cluster.api.wait_until(path, lambda found: found.get("status", {}).get("currentHealthy") == 2)
    cluster.api.apply(pool({"made": "after"}, "100%"))
    blocked = stuck(target)
    assert f"the disruption budget '{where}/all-stay' lets no pod go (2 of 2 pods that it wants are healthy)" in blocked
    assert f"pod '{where}/web-" in blocked

    cluster.api.apply({**budget, "spec": {**budget["spec"], "minAvailable": 1}})
    assert sorted(replace_karpenter_nodes.fn(target.connection, "1.35", 300)) == old
    assert replace_karpenter_nodes.fn(target.connection, "1.35", 300) == []
