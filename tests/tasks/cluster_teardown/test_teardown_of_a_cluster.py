"""A cluster is emptied in order, with the real Karpenter; the controllers of load balancers are played."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from rehearsal.cluster import Cluster
from tasks.cluster_teardown.load_balancers import remove_load_balancers
from tasks.cluster_teardown.nodes import remove_node_pools
from tasks.cluster_teardown.proof import count_what_is_left, was_emptied
from tasks.eks_cluster import find_cluster
from tasks.environment import REPOSITORY
from tasks.helm.upgrade import Target
from tasks.progress import NoProgress
from tests.rehearsal.cluster.workloads import deployment, namespace, node_pool, pod_template, ready
from tests.tasks.cluster_teardown.child import tear_down
from tests.tasks.cluster_teardown.conftest import (
    DEFINITIONS,
    INGRESS,
    NODE_CLAIMS,
    NODE_POOLS,
    WIDGET,
    Furnished,
    playing_controllers,
)

pytestmark = [pytest.mark.kubernetes, pytest.mark.prefect_server, pytest.mark.timeout(1200)]
PATIENCE_SECONDS = 8
WITHIN_SECONDS = 400


def deleting(cluster: Cluster, path: str) -> bool:
    return cluster.api.exists(path) and "deletionTimestamp" in cluster.api.get(path)["metadata"]


def installed(cluster: Cluster, release: str) -> bool:
    return bool(cluster.api.list("/api/v1/secrets", labelSelector=f"owner=helm,name={release}"))


# Each is a moment in the middle of a step, seen from outside, in the order in which a teardown comes to them.
MOMENTS: dict[str, Callable[[Cluster], bool]] = {
    "the ingress waits for its controller": lambda cluster: deleting(cluster, INGRESS),
    "the workloads are removed": lambda cluster: not installed(cluster, "assistant"),
    "a custom resource waits for its operator": lambda cluster: deleting(cluster, WIDGET),
    "the add-ons on the pools are removed": lambda cluster: not installed(cluster, "langfuse"),
    "the nodes are drained": lambda cluster: not cluster.api.list(NODE_POOLS),
    "the operators are removed": lambda cluster: not installed(cluster, "pools"),
}

# What nobody lets go of before the kill, so that the moment, or the next, lasts.
HELD = {
    "the ingress waits for its controller": (INGRESS,),
    "the workloads are removed": (WIDGET,),
    "a custom resource waits for its operator": (WIDGET,),
}


def test_a_teardown_that_is_killed_again_and_again_goes_on_where_it_was(
    furnished: Furnished, prefect_server: str, tmp_path: Path
) -> None:
    cluster = furnished.cluster
    killed: list[str] = []
    for moment, reached in MOMENTS.items():
        # On a busy machine the signal comes later than the look, and the teardown that it ends may be further by then.
        if not reached(cluster):
            killed_at(moment, cluster, prefect_server, tmp_path)
            killed.append(moment)
    assert len(killed) > len(MOMENTS) / 2, killed

    with playing_controllers(cluster):
        tear_down(str(cluster.kubeconfig))

    assert_nothing_is_left(furnished)


def killed_at(moment: str, cluster: Cluster, prefect_server: str, directory: Path) -> None:
    """Begin the teardown, or go on with it, and end its process in the middle of a step."""
    reached, log = MOMENTS[moment], directory / "killed.log"
    command = [sys.executable, "-m", "tests.tasks.cluster_teardown.child", str(cluster.kubeconfig)]
    environment = {**os.environ, "PREFECT_API_URL": prefect_server, "PREFECT_HOME": str(directory / "prefect")}
    with log.open("wb") as output:
        child = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=output, stderr=subprocess.STDOUT)
    with playing_controllers(cluster, but=HELD.get(moment, ())):
        until(lambda: reached(cluster) or child.poll() is not None)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert child.returncode == -signal.SIGKILL, log.read_text()


def test_everything_goes_and_the_cluster_says_so(furnished: Furnished, prefect_server: str) -> None:
    cluster = furnished.cluster
    with playing_controllers(cluster):
        gone = tear_down(str(cluster.kubeconfig))

    order = [name.partition(" ")[0] if name.startswith("Node") else name for name in gone]
    places = [
        order.index(name)
        for name in (
            "Ingress agents/assistant",
            "release agents/assistant",
            "Widget default/left",
            "release default/operator",
            "release default/langfuse",
            "NodeClaim",
            "release kube-system/pools",
            "CustomResourceDefinition nodeclaims.karpenter.sh",
        )
    ]
    assert places == sorted(places), gone
    assert_nothing_is_left(furnished)
    found = find_cluster(furnished.settings)
    assert found is not None
    assert was_emptied(furnished.settings, found.arn)


def assert_nothing_is_left(furnished: Furnished) -> None:
    api = furnished.cluster.api
    assert boto3.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert api.list("/api/v1/secrets", labelSelector="owner=helm") == []
    assert api.list("/api/v1/persistentvolumeclaims") == []
    assert [each["metadata"]["name"] for each in api.list("/api/v1/nodes")] == ["system-us-east-1a"]
    assert api.list(DEFINITIONS) == []


def until(condition: Callable[[], bool]) -> None:
    deadline, pause = time.monotonic() + WITHIN_SECONDS, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {WITHIN_SECONDS} s"
        pause.wait(0.1)


def test_an_ingress_without_its_controller_is_named_with_its_finalizer(furnished: Furnished, target: Target) -> None:
    with pytest.raises(NoProgress) as stuck:
        remove_load_balancers.fn(furnished.settings, target.connection, PATIENCE_SECONDS)

    assert "'ingress.k8s.aws/resources' of Ingress agents/assistant" in str(stuck.value)
    counted = {each.what: list(each.left) for each in count_what_is_left.fn(furnished.settings, target.connection)}
    assert counted["releases"] == ["assistant", "langfuse", "operator", "pools"]
    assert len(counted["NodeClaims"]) >= 1
    assert counted["load balancers"] == ["k8s-agents-assistant"]
    assert counted["volumes"] == []
    assert "ingress.k8s.aws/resources of Ingress agents/assistant" in counted["finalizers"]
    with playing_controllers(furnished.cluster):
        tear_down(str(furnished.cluster.kubeconfig))


def test_nodes_that_cannot_be_drained_are_named_with_budget_and_pod(target: Target, bare_cluster: Cluster) -> None:
    where = namespace(bare_cluster)
    bare_cluster.api.apply(node_pool("own", ["m7g"]), deployment(where, "web", 1, pod_template("web", {"cpu": "1"})))
    ready(bare_cluster, where, "web", 1)
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "all-stay", "namespace": where},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }
    bare_cluster.api.apply(budget)
    path = f"/apis/policy/v1/namespaces/{where}/poddisruptionbudgets/all-stay"
    bare_cluster.api.wait_until(path, lambda found: found.get("status", {}).get("currentHealthy") == 1)

    with pytest.raises(NoProgress) as stuck:
        remove_node_pools.fn(target, PATIENCE_SECONDS)

    assert f"the disruption budget '{where}/all-stay' lets no pod go (1 of 1 pods that it wants are healthy)" in str(
        stuck.value
    )
    assert f"pod '{where}/web-" in str(stuck.value)

    bare_cluster.api.delete(path)
    bare_cluster.api.delete(f"/apis/apps/v1/namespaces/{where}/deployments/web")
    # Karpenter drains the node on its own as soon as the budget is gone, maybe before this looks.
    assert all(claim.startswith("NodeClaim own-") for claim in remove_node_pools.fn(target, 300))
    assert bare_cluster.api.list(NODE_CLAIMS) == []
    assert remove_node_pools.fn(target, 300) == []
