"""Where the real scheduler and the real Karpenter put pods, with the node pools of the environment files.

The nodes are simulated, and Karpenter's cloud is one that makes such nodes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from rehearsal.cluster import Cluster, running_cluster, running_karpenter
from tasks.environment import EnvironmentName
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.probe_kinds import WorkloadsProbe
from tasks.kubernetes.probe_result import Outcome
from tasks.kubernetes.probes import ask_once
from tasks.kubernetes.unschedulable import unschedulable_pods
from tests.charts.own_charts import ON_AWS, install
from tests.conftest import ZONES
from tests.rehearsal.cluster.workloads import deployment, label, namespace, pod_template, ready

pytestmark = pytest.mark.kubernetes

GPU, NEURON = "nvidia.com/gpu", "aws.amazon.com/neuron"
ARCHITECTURE, FAMILY, ZONE = "kubernetes.io/arch", "karpenter.k8s.aws/instance-family", "topology.kubernetes.io/zone"
POOL, KIND = "agentic-eks/pool", "agentic-eks/kind"
CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
NEWEST = {"c8g", "m8g", "r8g"}
# The environments wait for minutes before they give empty nodes back; nothing else differs from what is rolled out.
AT_ONCE = {"pools": {pool: {"consolidateAfter": "0m"} for pool in ("gpu", "neuron")}}


@dataclass(frozen=True)
class Place:
    """A cluster with the pools of an environment."""

    environment: EnvironmentName
    cluster: Cluster


@pytest.fixture(scope="module", params=ON_AWS, ids=lambda environment: environment.value)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with running_cluster() as cluster, running_karpenter(cluster, ZONES):
        install(cluster, "capacity", request.param, AT_ONCE)
        yield Place(request.param, cluster)


@pytest.fixture
def where(place: Place) -> Iterator[str]:
    name = namespace(place.cluster)
    yield name
    place.cluster.api.delete(f"/apis/apps/v1/namespaces/{name}/deployments")


def tolerating(taint: str) -> list[dict[str, str]]:
    return [{"key": taint, "operator": "Exists"}]


def accelerated(resource: str, count: int, name: str = "model") -> dict[str, Any]:
    return pod_template(name, {"cpu": "2", "memory": "8Gi", resource: str(count)}, tolerations=tolerating(resource))


def test_karpenter_accepts_the_pools_and_the_api_server_the_node_classes(place: Place) -> None:
    pools = place.cluster.api.list("/apis/karpenter.sh/v1/nodepools")
    classes = place.cluster.api.list("/apis/karpenter.k8s.aws/v1/ec2nodeclasses")

    assert {pool["metadata"]["name"] for pool in pools} == {item["metadata"]["name"] for item in classes}
    for pool in pools:
        place.cluster.api.wait_until(f"/apis/karpenter.sh/v1/nodepools/{pool['metadata']['name']}", is_ready)


def is_ready(pool: dict[str, Any]) -> bool:
    conditions = pool.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def test_what_asks_for_nothing_special_runs_on_the_newest_graviton_in_three_zones(place: Place, where: str) -> None:
    place.cluster.api.apply(deployment(where, "web", 3, pod_template("web", {"cpu": "1", "memory": "2Gi"})))

    nodes = ready(place.cluster, where, "web", 3)

    assert {(label(node, ARCHITECTURE), label(node, KIND)) for node in nodes} == {("arm64", "graviton")}
    assert {label(node, FAMILY) for node in nodes} <= NEWEST
    assert sorted(label(node, ZONE) for node in nodes) == sorted(ZONES)


def test_models_land_where_their_accelerators_are_and_go_with_their_nodes(place: Place, where: str) -> None:
    pools = {GPU: "gpu", NEURON: "neuron"}
    place.cluster.api.apply(
        *(deployment(where, pool, 1, accelerated(resource, 1, pool)) for resource, pool in pools.items())
    )
    names: list[str] = []
    for resource, pool in pools.items():
        (node,) = ready(place.cluster, where, pool, 1)
        assert (label(node, POOL), label(node, KIND), label(node, ARCHITECTURE)) == (pool, pool, "amd64")
        assert node["status"]["allocatable"][resource] == "1"
        names.append(node["metadata"]["name"])

    place.cluster.api.apply(
        *(deployment(where, pool, 0, accelerated(resource, 1, pool)) for resource, pool in pools.items())
    )

    place.cluster.api.wait_until(CLAIMS, lambda found: not of_pools(found, pools.values()), seconds=240)
    assert not any(place.cluster.api.exists(f"/api/v1/nodes/{name}") for name in names)


def of_pools(claims: dict[str, Any], pools: Iterable[str]) -> list[dict[str, Any]]:
    return [claim for claim in claims["items"] if claim["metadata"]["labels"]["karpenter.sh/nodepool"] in pools]


def test_replicas_of_a_model_are_spread_over_three_zones(place: Place, where: str) -> None:
    place.cluster.api.apply(deployment(where, "model", 3, accelerated(GPU, 1)))

    nodes = ready(place.cluster, where, "model", 3)

    assert sorted(label(node, ZONE) for node in nodes) == sorted(ZONES)
    assert {label(node, POOL) for node in nodes} == {"gpu"}


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (accelerated(GPU, 64), "no instance type has enough resources in the pool gpu for {"),
        (accelerated(NEURON, 17), "no instance type has enough resources in the pool neuron for {"),
        (pod_template("model", {"cpu": "2", GPU: "1"}), f"did not tolerate taint (taint={GPU}:NoSchedule)"),
        (pod_template("model", {"cpu": "1"}, nodeSelector={ARCHITECTURE: "amd64"}), ARCHITECTURE),
        (pod_template("model", {"cpu": "1"}, nodeSelector={ZONE: "us-east-1f"}), ZONE),
    ],
    ids=["more GPUs than any instance has", "more devices than fit", "no toleration", "no such pool", "no such zone"],
)
def test_what_no_pool_can_serve_is_reported_with_the_reason_of_karpenter(
    place: Place, where: str, template: dict[str, Any], reason: str
) -> None:
    manifest = deployment(where, "model", 1, template)
    place.cluster.api.apply(manifest)
    path = f"/api/v1/namespaces/{where}/events"
    place.cluster.api.wait_until(path, lambda found: any(map(is_from_karpenter, found["items"])))

    with open_connection(place.cluster.kubeconfig) as connection:
        (said,) = unschedulable_pods(connection, where, {"app": "model"})
        probed = ask_once(connection, WorkloadsProbe(kind="workloads"), [manifest], where)

    assert said.startswith("1 pod waits for a node, such as model-")
    assert "Karpenter says:" in said
    assert reason in said
    assert probed.outcome is Outcome.FAILED
    assert said in probed.seen


def is_from_karpenter(event: dict[str, Any]) -> bool:
    return event["source"].get("component") == "karpenter"


def test_the_older_generation_serves_when_the_newest_is_at_its_limit(place: Place, where: str) -> None:
    newest = place.cluster.api.get("/apis/karpenter.sh/v1/nodepools/graviton")["spec"]["limits"]
    lowered = {"pools": {"graviton": {"limits": {**newest, "cpu": "32"}}}}
    install(place.cluster, "capacity", place.environment, lowered)
    template = pod_template("large", {"cpu": "15", "memory": "16Gi"})
    template["spec"]["topologySpreadConstraints"] = []
    place.cluster.api.apply(deployment(where, "large", 3, template))

    nodes = ready(place.cluster, where, "large", 3)

    pools = [label(node, POOL) for node in nodes]
    assert pools.count("graviton") <= 2, "32 vCPU are two nodes of 16"
    assert set(pools) == {"graviton", "graviton-previous"}
