"""That the real Karpenter keeps to the disruption budgets of the chart; the nodes are simulated."""

from collections.abc import Iterator
from typing import Any

import pytest

from rehearsal.cluster import Cluster, running_cluster, running_karpenter
from tasks.environment import EnvironmentName
from tests.charts.own_charts import install
from tests.conftest import ZONES
from tests.rehearsal.cluster.workloads import deployment, namespace, pod_template, ready

pytestmark = pytest.mark.kubernetes

CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
ALWAYS: dict[str, Any] = {"quiet": {"schedule": "0 0 * * *", "duration": "24h"}}
NEVER: dict[str, Any] = {}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster, running_karpenter(cluster, ZONES):
        install(cluster, "capacity", EnvironmentName.DEV, changes(ALWAYS))
        yield cluster


def changes(quiet: dict[str, Any], drain: str = "1h") -> dict[str, Any]:
    """Quiet hours for GPU nodes; another `drain` makes Karpenter replace the nodes that were launched before."""
    return {"drain": drain, "pools": {"gpu": quiet}}


def test_nodes_are_replaced_one_at_a_time_and_none_in_quiet_hours(cluster: Cluster) -> None:
    where = namespace(cluster)
    tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    template = pod_template("model", {"cpu": "2", "nvidia.com/gpu": "1"}, tolerations=tolerations)
    cluster.api.apply(deployment(where, "model", 3, template))
    before = {node["metadata"]["name"] for node in ready(cluster, where, "model", 3)}
    assert len(before) == 3

    install(cluster, "capacity", EnvironmentName.DEV, changes(ALWAYS, drain="2h"))
    cluster.api.wait_until(CLAIMS, lambda found: sum(map(is_drifted, found["items"])) == 3)
    cluster.api.wait_until("/api/v1/namespaces/default/events", names_the_budget, seconds=300)
    assert {claim["status"]["nodeName"] for claim in cluster.api.list(CLAIMS)} == before

    install(cluster, "capacity", EnvironmentName.DEV, changes(NEVER, drain="2h"))
    leaving: list[int] = []

    def all_replaced(found: dict[str, Any]) -> bool:
        leaving.append(sum("deletionTimestamp" in claim["metadata"] for claim in found["items"]))
        nodes = {claim.get("status", {}).get("nodeName") for claim in found["items"]}
        return len(nodes) == 3 and not nodes & before and not leaving[-1]

    cluster.api.wait_until(CLAIMS, all_replaced, seconds=600)
    assert max(leaving) == 1, "10 % of three nodes is one"
    assert len(ready(cluster, where, "model", 3)) == 3


def is_drifted(claim: dict[str, Any]) -> bool:
    conditions = claim.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Drifted" and condition["status"] == "True" for condition in conditions)


def names_the_budget(events: dict[str, Any]) -> bool:
    return any(
        event["involvedObject"]["kind"] == "NodePool"
        and event["reason"] == "DisruptionBlocked"
        and "Drifted" in event["message"]
        for event in events["items"]
    )
