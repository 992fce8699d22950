"""A node whose kubelet is played: its pods count as running, although nothing in them answers."""

import threading
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from typing import Any

from rehearsal.cluster import Cluster
from rehearsal.cluster.api import KubernetesApi, Refused
from tests.conftest import ZONES
from tests.flows.rollout.agents_stage import graviton_node

STARTED = "2026-01-01T00:00:00Z"


@contextmanager
def kubelet_of(cluster: Cluster, node: str) -> Generator[None]:
    """Say that a node and the pods on it are ready, as its kubelet would; unlike kwok's, the node says nothing else."""
    document = graviton_node(node, ZONES[0]).document
    del document["metadata"]["annotations"]
    ready = {"type": "Ready", "status": "True", "reason": "Played", "message": "", "lastTransitionTime": STARTED}
    document["status"]["conditions"] = [{**ready, "lastHeartbeatTime": STARTED}]
    stopped = threading.Event()

    def play() -> None:
        with closing(KubernetesApi(cluster.kubeconfig)) as api:
            while not stopped.wait(0.5):
                api.set_status(document)
                for pod in api.list("/api/v1/pods"):
                    if pod["spec"].get("nodeName") == node and "deletionTimestamp" not in pod["metadata"]:
                        # It may be gone since it was listed.
                        with suppress(Refused):
                            api.set_status(running(pod, ready))

    cluster.api.apply(document)
    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        cluster.api.delete(f"/api/v1/nodes/{node}")


def running(pod: dict[str, Any], ready: dict[str, Any]) -> dict[str, Any]:
    """The pod with all its containers running."""
    containers = [
        {
            "name": each["name"],
            "image": each["image"],
            "imageID": "",
            "ready": True,
            "restartCount": 0,
            "started": True,
            "state": {"running": {"startedAt": STARTED}},
        }
        for each in pod["spec"]["containers"]
    ]
    conditions = [{**ready, "type": kind} for kind in ("Initialized", "ContainersReady", "Ready", "PodScheduled")]
    named = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": containers, "podIP": "127.0.0.1"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": named, "status": status}
