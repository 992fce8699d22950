from typing import Any

import pytest

from rehearsal.cluster import Cluster
from rehearsal.cluster.programs import RAY_OPERATOR
from tests.rehearsal.cluster.workloads import label, namespace, node_pool

pytestmark = pytest.mark.kubernetes


def ray_pod(cpu: str) -> dict[str, Any]:
    resources = {"cpu": cpu, "memory": "2Gi"}
    container = {"name": "ray", "image": "example", "resources": {"requests": resources, "limits": resources}}
    return {"spec": {"containers": [container], "terminationGracePeriodSeconds": 0}}


def test_a_ray_cluster_becomes_pods_on_nodes_that_karpenter_launches(cluster_with_controllers: Cluster) -> None:
    api = cluster_with_controllers.api
    api.apply(node_pool("graviton", ["m7g", "c7g", "r7g"]))
    where = namespace(cluster_with_controllers)
    api.apply(
        {
            "apiVersion": "ray.io/v1",
            "kind": "RayCluster",
            "metadata": {"name": "embedding", "namespace": where},
            "spec": {
                "rayVersion": "2.52.0",
                "headGroupSpec": {"rayStartParams": {}, "template": ray_pod("1")},
                "workerGroupSpecs": [
                    {
                        "groupName": "workers",
                        "replicas": 2,
                        "maxReplicas": 4,
                        "rayStartParams": {},
                        "template": ray_pod("3"),
                    }
                ],
            },
        }
    )

    path = f"/apis/ray.io/v1/namespaces/{where}/rayclusters/embedding"
    made = api.wait_until(path, lambda found: found.get("status", {}).get("state") == "ready", seconds=120)

    pods = api.list(f"/api/v1/namespaces/{where}/pods")
    nodes = [api.get(f"/api/v1/nodes/{pod['spec']['nodeName']}") for pod in pods]
    assert sorted(label(pod, "ray.io/node-type") for pod in pods) == ["head", "worker", "worker"]
    assert {label(node, "kubernetes.io/arch") for node in nodes} == {"arm64"}
    assert made["status"]["readyWorkerReplicas"] == 2
    assert {
        pod["metadata"]["annotations"]["ray.io/kuberay-version"]
        for pod in pods
        if label(pod, "ray.io/node-type") == "head"
    } == {RAY_OPERATOR.version}
    api.delete(path)
    api.wait_until(f"/api/v1/namespaces/{where}/pods", lambda found: not found["items"])
