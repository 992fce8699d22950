import json
from typing import Any

import pytest

from rehearsal.cluster import Cluster
from rehearsal.cluster.simulated_nodes import FAKE, SIMULATED
from tasks.kubernetes.connection import FIELD_MANAGER
from tests.conftest import ZONES
from tests.rehearsal.cluster.workloads import deployment, label, namespace, node_pool, pod_template, ready

pytestmark = pytest.mark.kubernetes

GPU, NEURON = "nvidia.com/gpu", "aws.amazon.com/neuron"
TYPE, ARCHITECTURE = "node.kubernetes.io/instance-type", "kubernetes.io/arch"


@pytest.fixture(scope="module")
def cluster(cluster_with_controllers: Cluster) -> Cluster:
    """With three pools as an environment has them: Graviton for everything, the others for who tolerates them."""
    cluster_with_controllers.api.apply(
        node_pool("graviton", ["m7g", "c7g", "r7g"]),
        node_pool("gpu", ["g5", "g6"], taint=GPU),
        node_pool("neuron", ["inf2", "trn1"], taint=NEURON),
    )
    return cluster_with_controllers


def tolerating(taint: str) -> list[dict[str, str]]:
    return [{"key": taint, "operator": "Exists"}]


def test_pools_written_for_aws_refer_to_simulated_nodes(cluster: Cluster) -> None:
    pool = cluster.api.wait_until("/apis/karpenter.sh/v1/nodepools/graviton", is_ready)

    assert pool["spec"]["template"]["spec"]["nodeClassRef"] == {
        "group": "karpenter.kwok.sh",
        "kind": "KWOKNodeClass",
        "name": "default",
    }


def is_ready(pool: dict[str, Any]) -> bool:
    conditions = pool.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def test_waiting_pods_get_graviton_nodes_in_three_zones(cluster: Cluster) -> None:
    where = namespace(cluster)
    cluster.api.apply(deployment(where, "web", 3, pod_template("web", {"cpu": "1500m", "memory": "3Gi"})))

    nodes = ready(cluster, where, "web", 3)

    assert {label(node, ARCHITECTURE) for node in nodes} == {"arm64"}
    assert {label(node, TYPE) for node in nodes} == {"m7g.large"}, (
        "the least that fits; c7g.large has too little memory"
    )
    assert sorted(label(node, "topology.kubernetes.io/zone") for node in nodes) == sorted(ZONES)
    assert {node["metadata"]["annotations"][SIMULATED] for node in nodes} == {FAKE}
    cluster.api.delete(f"/apis/apps/v1/namespaces/{where}/deployments/web")


@pytest.mark.parametrize(
    ("resource", "count", "expected"),
    [(GPU, "1", "g6.xlarge"), (GPU, "4", "g6.12xlarge"), (NEURON, "1", "inf2.xlarge")],
)
def test_accelerators_are_found_where_they_are(cluster: Cluster, resource: str, count: str, expected: str) -> None:
    where = namespace(cluster)
    template = pod_template("model", {"cpu": "2", "memory": "8Gi", resource: count}, tolerations=tolerating(resource))
    cluster.api.apply(deployment(where, "model", 1, template))

    (node,) = ready(cluster, where, "model", 1)

    assert label(node, TYPE) == expected
    assert node["status"]["allocatable"][resource] == count
    cluster.api.delete(f"/apis/apps/v1/namespaces/{where}/deployments/model")


def test_what_no_instance_has_is_reported_with_the_reason(cluster: Cluster) -> None:
    where = namespace(cluster)
    template = pod_template("huge", {"cpu": "2", GPU: "64"}, tolerations=tolerating(GPU))
    cluster.api.apply(deployment(where, "huge", 1, template))

    events = cluster.api.wait_until(
        f"/api/v1/namespaces/{where}/events",
        lambda found: any(event["source"].get("component") == "karpenter" for event in found["items"]),
    )

    assert "no instance type has enough resources" in json.dumps(events)
    cluster.api.delete(f"/apis/apps/v1/namespaces/{where}/deployments/huge")


def test_scaling_to_zero_gives_the_nodes_back(cluster: Cluster) -> None:
    where = namespace(cluster)
    template = pod_template("model", {"cpu": "2", GPU: "1"}, tolerations=tolerating(GPU))
    cluster.api.apply(deployment(where, "model", 1, template))
    (node,) = ready(cluster, where, "model", 1)

    cluster.api.apply(deployment(where, "model", 0, template))

    cluster.api.wait_until("/apis/karpenter.sh/v1/nodeclaims", lambda found: not found["items"], seconds=180)
    assert not cluster.api.exists(f"/api/v1/nodes/{node['metadata']['name']}")


def test_the_rollout_may_replace_the_definitions(cluster: Cluster) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodepools.karpenter.sh"
    managers = {entry["manager"] for entry in cluster.api.get(path)["metadata"]["managedFields"]}

    assert managers - {"kube-apiserver"} == {FIELD_MANAGER}


def test_the_controllers_bring_no_webhooks(cluster: Cluster) -> None:
    path = "/apis/admissionregistration.k8s.io/v1"

    assert cluster.api.list(f"{path}/validatingwebhookconfigurations") == []
    assert cluster.api.list(f"{path}/mutatingwebhookconfigurations") == []
