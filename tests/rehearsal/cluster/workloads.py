"""Documents of workloads and node pools, and where to look for what became of them."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.cluster import Cluster

SPREAD_OVER_ZONES = "topology.kubernetes.io/zone"


def namespace(cluster: Cluster) -> str:
    """A new namespace in which pods may run."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster.api.wait_until(f"/api/v1/namespaces/{name}/serviceaccounts", lambda found: bool(found["items"]))
    return name


def pod_template(
    name: str, resources: Mapping[str, str], annotations: Mapping[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    """A pod that asks for `resources`, and for the same as its limits, and is spread over zones."""
    container = {"name": "main", "image": "example", "resources": {"requests": resources, "limits": resources}}
    spread = {
        "maxSkew": 1,
        "topologyKey": SPREAD_OVER_ZONES,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": name}},
    }
    return {
        "metadata": {"labels": {"app": name}, "annotations": dict(annotations or {})},
        "spec": {
            "containers": [container],
            "topologySpreadConstraints": [spread],
            "terminationGracePeriodSeconds": 0,
            **spec,
        },
    }


def deployment(where: str, name: str, replicas: int, template: Mapping[str, Any]) -> dict[str, Any]:
    """A Deployment of pods that pod_template made."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": where},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": dict(template)},
    }


def job(where: str, name: str, template: Mapping[str, Any]) -> dict[str, Any]:
    """A Job that gives up after its first failure."""
    spec = {**template["spec"], "restartPolicy": "Never"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": where},
        "spec": {"backoffLimit": 0, "template": {**template, "spec": spec}},
    }


def node_pool(name: str, families: Sequence[str], taint: str | None = None) -> dict[str, Any]:
    """A pool of on-demand nodes as it is written for AWS; it gives empty nodes back at once."""
    requirements = {
        "karpenter.k8s.aws/instance-family": list(families),
        "karpenter.sh/capacity-type": ["on-demand"],
    }
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": name},
        "spec": {
            "disruption": {
                "consolidationPolicy": "WhenEmpty",
                "consolidateAfter": "0s",
                "budgets": [{"nodes": "100%"}],
            },
            "template": {
                "spec": {
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"},
                    "requirements": [
                        {"key": key, "operator": "In", "values": values} for key, values in requirements.items()
                    ],
                    "taints": [{"key": taint, "effect": "NoSchedule"}] if taint else [],
                }
            },
        },
    }


def ready(cluster: Cluster, where: str, name: str, replicas: int) -> list[dict[str, Any]]:
    """Wait for a Deployment, and return the nodes on which its pods are."""
    path = f"/apis/apps/v1/namespaces/{where}/deployments/{name}"
    cluster.api.wait_until(path, lambda found: found["status"].get("readyReplicas") == replicas)
    pods = cluster.api.list(f"/api/v1/namespaces/{where}/pods", labelSelector=f"app={name}")
    return [cluster.api.get(f"/api/v1/nodes/{pod['spec']['nodeName']}") for pod in pods]


def label(node: Mapping[str, Any], name: str) -> str:
    """A label of a node."""
    return node["metadata"]["labels"][name]
