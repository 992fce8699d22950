"""A RayService is ready in a rehearsal, because somebody answers the operator for it."""

import pytest

from rehearsal.cluster import SimulatedNode, running_cluster, running_ray_operator
from rehearsal.played_ray import playing_ray_serve
from tests.conftest import ZONES
from tests.rehearsal.cluster.test_cluster_ray import ray_pod
from tests.rehearsal.cluster.workloads import namespace

pytestmark = [pytest.mark.kubernetes]
APPLICATIONS = "applications: [{name: embed, route_prefix: /, import_path: 'any:app', deployments: [{name: Embed}]}]"


def test_the_operator_makes_a_service_ready() -> None:
    room = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    with (
        playing_ray_serve() as proxy,
        running_cluster() as cluster,
        running_ray_operator(cluster, {"HTTP_PROXY": proxy}),
    ):
        cluster.add_nodes(SimulatedNode(f"node-{zone}", zone, "us-east-1", resources=room) for zone in ZONES)
        where = namespace(cluster)
        pod = {"rayStartParams": {}, "template": ray_pod("1")}
        cluster.api.apply(
            {
                "apiVersion": "ray.io/v1",
                "kind": "RayService",
                "metadata": {"name": "embedding", "namespace": where},
                "spec": {
                    "serveConfigV2": APPLICATIONS,
                    "rayClusterConfig": {
                        "rayVersion": "2.52.0",
                        "headGroupSpec": pod,
                        "workerGroupSpecs": [{"groupName": "workers", "replicas": 1, "maxReplicas": 1, **pod}],
                    },
                },
            }
        )
        path = f"/apis/ray.io/v1/namespaces/{where}/rayservices/embedding"
        made = cluster.api.wait_until(
            path,
            lambda found: any(
                (each["type"], each["status"]) == ("Ready", "True")
                for each in found.get("status", {}).get("conditions", ())
            ),
            seconds=120,
        )
    applications = made["status"]["activeServiceStatus"]["applicationStatuses"]
    assert applications["embed"]["status"] == "RUNNING"
