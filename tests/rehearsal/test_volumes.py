"""Claims of pods on simulated nodes get volumes in the zone of their node, and take them along."""

from collections.abc import Iterator

import pytest

from rehearsal.cluster import Cluster
from rehearsal.volumes import VOLUMES, volumes_of_simulated_nodes
from tests.rehearsal.cluster.workloads import namespace, pod_template

pytestmark = [pytest.mark.kubernetes]


@pytest.fixture
def storage_class(kubernetes_cluster: Cluster) -> Iterator[str]:
    """As the chart capacity makes it."""
    name = "of-simulated-nodes"
    kubernetes_cluster.api.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        }
    )
    yield name
    kubernetes_cluster.api.delete(f"/apis/storage.k8s.io/v1/storageclasses/{name}")


def test_a_claim_gets_a_volume_and_takes_it_along(kubernetes_cluster: Cluster, storage_class: str) -> None:
    api, where = kubernetes_cluster.api, namespace(kubernetes_cluster)
    mount = {"name": "main", "image": "example", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    requests = {"requests": {"storage": "10Gi"}}
    claim = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": requests}
    database = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "database", "namespace": where},
        "spec": {
            "replicas": 2,
            "ordinals": {"start": 1},
            "serviceName": "database",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": "database"}},
            "template": pod_template("database", {}, containers=[mount]),
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
        },
    }
    with volumes_of_simulated_nodes(kubernetes_cluster):
        api.apply(database)
        path = f"/apis/apps/v1/namespaces/{where}/statefulsets/database"
        api.wait_until(path, lambda found: found["status"].get("readyReplicas") == 2, seconds=180)

        volumes: list[str] = []
        for number in (1, 2):
            pod = api.get(f"/api/v1/namespaces/{where}/pods/database-{number}")
            assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == str(number)
            bound = api.get(f"/api/v1/namespaces/{where}/persistentvolumeclaims/data-database-{number}")
            volumes.append(bound["spec"]["volumeName"])
            volume = api.get(f"{VOLUMES}/{bound['spec']['volumeName']}")
            (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
            node = api.get(f"/api/v1/nodes/{pod['spec']['nodeName']}")
            assert term["matchExpressions"][0]["values"] == [node["metadata"]["labels"]["topology.kubernetes.io/zone"]]

        api.delete(path)
        api.delete(f"/api/v1/namespaces/{where}/persistentvolumeclaims")
        names = set(volumes)
        api.wait_until(
            VOLUMES, lambda found: not names & {each["metadata"]["name"] for each in found["items"]}, seconds=180
        )
