"""What stands in the way of a minor: asked of a real API server and real Helm records; EKS's insights are scripted."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rehearsal.cluster import Cluster
from tasks.cluster_upgrade.obstacles import (
    REQUESTED,
    Obstacle,
    UpgradeObstructed,
    look_for_obstacles,
    read_metrics,
    removed_kinds,
    requested_apis,
    require_none,
    rows,
)
from tasks.eks_cluster import EksCluster
from tasks.environment import Environment
from tasks.environment.variable_file import load_environment
from tasks.helm.upgrade import Target
from tasks.kubernetes.binaries import cluster_binaries
from tests.scripted_aws import Parameters, ScriptedAws, scripted_aws

EKS = EksCluster("agentic-eks-dev", "arn:aws:eks:us-east-1:111122223333:cluster/agentic-eks-dev", "ACTIVE", "1.39")
# Served by the rehearsed 1.35, and removed in 1.40.
OLD = "admissionregistration.k8s.io/v1beta1"
POLICY = f"""
apiVersion: {OLD}
kind: MutatingAdmissionPolicy
metadata: {{ name: old-policy }}
spec:
  failurePolicy: Ignore
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules: [{{ apiGroups: [example.com], apiVersions: ["*"], operations: [CREATE], resources: [things] }}]
  mutations:
    - patchType: JSONPatch
      jsonPatch: {{ expression: '[JSONPatch{{op: "remove", path: "/metadata/labels"}}]' }}
"""


@pytest.fixture
def settings() -> Environment:
    return load_environment("dev")


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    with scripted_aws() as aws:
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", **aws.environment("eks")}
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
        aws.script("eks", "ListInsights", {"insights": []})
        yield aws


@pytest.fixture
def old_release(cluster: Cluster, tmp_path: Path) -> Iterator[None]:
    """A release that somebody installed, with an object in a version that goes."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: old\nversion: 1.0.0\n", encoding="utf-8")
    (tmp_path / "templates" / "policy.yaml").write_text(POLICY, encoding="utf-8")
    helm = [str(cluster_binaries().helm), "--kubeconfig", str(cluster.kubeconfig), "--namespace", "default"]
    subprocess.run([*helm, "install", "old", str(tmp_path)], check=True, capture_output=True, timeout=60)
    yield
    subprocess.run([*helm, "uninstall", "old"], check=True, capture_output=True, timeout=60)


@pytest.mark.kubernetes
def test_releases_with_removed_apis_block(
    settings: Environment, target: Target, scripted: ScriptedAws, old_release: None
) -> None:
    found = look_for_obstacles.fn(settings, EKS, target, "1.40")

    assert [each.what for each in found] == [
        f"release default/old has MutatingAdmissionPolicy old-policy as {OLD}, which 1.40 removes"
    ]
    with pytest.raises(UpgradeObstructed, match=r"would break on Kubernetes 1\.40; nothing was changed"):
        require_none(found, "1.40")
    assert [each.what for each in look_for_obstacles.fn(settings, EKS, target, "1.36")] == []


@pytest.mark.kubernetes
def test_scripted_insights_are_told_with_what_eks_recommends(
    settings: Environment, target: Target, scripted: ScriptedAws
) -> None:
    statuses = {"1": "ERROR", "2": "WARNING", "3": "PASSING"}

    def insight(asked: Parameters) -> dict[str, object]:
        status = {"status": statuses[asked["id"]], "reason": "kubelets are too old"}
        refreshed = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
        found = {"id": asked["id"], "name": "Kubelet version skew", "insightStatus": status}
        return {"insight": {**found, "lastRefreshTime": refreshed, "recommendation": "replace the nodes"}}

    listed = [{"id": number, "insightStatus": {"status": status}} for number, status in statuses.items()]
    scripted.script("eks", "ListInsights", {"insights": listed})
    scripted.script("eks", "DescribeInsight", insight)

    found = look_for_obstacles.fn(settings, EKS, target, "1.36")

    assert found == [
        Obstacle(
            "Kubelet version skew: kubelets are too old",
            f"EKS insights, {status}, as of 2026-11-20 06:30",
            "replace the nodes",
            blocks=status == "ERROR",
        )
        for status in ("ERROR", "WARNING")
    ]
    (asked,) = scripted.calls_of("ListInsights")
    assert asked["filter"] == {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": ["1.36"]}
    assert [row["blocks"] for row in rows(found)] == [True, False]


@pytest.mark.kubernetes
def test_the_api_server_tells_which_deprecated_apis_were_requested(cluster: Cluster, target: Target) -> None:
    cluster.api.list("/api/v1/componentstatuses")

    metrics = read_metrics(target.connection)

    assert 'resource="componentstatuses"' in "".join(line for line in metrics.splitlines() if REQUESTED in line)
    assert list(requested_apis(metrics, "1.99")) == [], "nobody says when it is removed"


def test_requests_for_removed_apis_block() -> None:
    labels = 'group="flowcontrol.apiserver.k8s.io",resource="flowschemas",subresource="",version="v1beta3"'
    metrics = f'{REQUESTED}{{{labels},removed_release="1.32"}} 1'

    (found,) = requested_apis(metrics, "1.32")

    assert found.blocks
    assert found.what == "somebody asks for flowcontrol.apiserver.k8s.io/v1beta3/flowschemas, which 1.32 removes"
    assert list(requested_apis(metrics, "1.31")) == []


def test_the_table_knows_what_each_minor_has_removed_so_far() -> None:
    assert ("batch/v1beta1", "CronJob") in removed_kinds("1.25")
    assert ("batch/v1beta1", "CronJob") not in removed_kinds("1.24")
    assert removed_kinds("1.36")["flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"] == "1.32"
