import json

import httpx
import psutil
import pytest

from rehearsal.cluster import Cluster, SimulatedNode, existing_cluster, running_cluster
from rehearsal.cluster.api import NotSo
from rehearsal.cluster.processes import ClusterFailed
from rehearsal.cluster.programs import CONTROL_PLANE
from rehearsal.cluster.simulated_nodes import FAKE, SIMULATED
from tests.conftest import ZONES
from tests.rehearsal.cluster.workloads import deployment, job, label, namespace, pod_template, ready

pytestmark = pytest.mark.kubernetes

SMALL = {"cpu": "100m", "memory": "64Mi"}
OUTCOME = "rehearsal.agentic-eks/outcome"


def test_the_version_is_the_one_that_is_pinned(kubernetes_cluster: Cluster) -> None:
    version = kubernetes_cluster.api.get("/version")

    assert version["gitVersion"] == CONTROL_PLANE.version
    assert f"v{version['major']}.{version['minor']}" == CONTROL_PLANE.version.rpartition(".")[0]


def test_replicas_are_spread_over_three_zones(kubernetes_cluster: Cluster) -> None:
    where = namespace(kubernetes_cluster)
    kubernetes_cluster.api.apply(deployment(where, "web", 6, pod_template("web", SMALL)))

    nodes = ready(kubernetes_cluster, where, "web", 6)

    assert sorted(label(node, "topology.kubernetes.io/zone") for node in nodes) == sorted(ZONES * 2)
    assert {node["status"]["nodeInfo"]["architecture"] for node in nodes} == {"arm64"}
    assert {node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes} == {CONTROL_PLANE.version}
    assert {node["metadata"]["annotations"][SIMULATED] for node in nodes} == {FAKE}


def test_a_job_completes(kubernetes_cluster: Cluster) -> None:
    where = namespace(kubernetes_cluster)
    kubernetes_cluster.api.apply(job(where, "hook", pod_template("hook", SMALL)))

    done = kubernetes_cluster.api.wait_until(
        f"/apis/batch/v1/namespaces/{where}/jobs/hook", lambda found: found["status"].get("succeeded") == 1
    )

    assert "Complete" in {condition["type"] for condition in done["status"]["conditions"]}


def test_a_job_fails_when_it_asks_for_it(kubernetes_cluster: Cluster) -> None:
    where = namespace(kubernetes_cluster)
    kubernetes_cluster.api.apply(job(where, "hook", pod_template("hook", SMALL, {OUTCOME: "fails"})))

    done = kubernetes_cluster.api.wait_until(
        f"/apis/batch/v1/namespaces/{where}/jobs/hook", lambda found: found["status"].get("failed") == 1
    )

    assert done["status"].get("succeeded") is None


def test_a_pod_that_asks_for_it_crashes_instead_of_becoming_ready(kubernetes_cluster: Cluster) -> None:
    where = namespace(kubernetes_cluster)
    kubernetes_cluster.api.apply(deployment(where, "web", 1, pod_template("web", SMALL, {OUTCOME: "not-ready"})))

    pods = kubernetes_cluster.api.wait_until(
        f"/api/v1/namespaces/{where}/pods",
        lambda found: any(pod["status"].get("containerStatuses") for pod in found["items"]),
    )

    (status,) = pods["items"][0]["status"]["containerStatuses"]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    with pytest.raises(NotSo, match="unavailableReplicas"):
        kubernetes_cluster.api.wait_until(
            f"/apis/apps/v1/namespaces/{where}/deployments/web",
            lambda found: found["status"].get("readyReplicas") == 1,
            seconds=1,
        )


def test_pods_that_fit_nowhere_wait(kubernetes_cluster: Cluster) -> None:
    where = namespace(kubernetes_cluster)
    kubernetes_cluster.api.apply(deployment(where, "big", 1, pod_template("big", {"cpu": "64"})))

    events = kubernetes_cluster.api.wait_until(
        f"/api/v1/namespaces/{where}/events",
        lambda found: any(event["reason"] == "FailedScheduling" for event in found["items"]),
    )

    assert "Insufficient cpu" in json.dumps(events)


def test_nobody_gets_in_without_a_certificate(kubernetes_cluster: Cluster) -> None:
    answer = httpx.get(f"{kubernetes_cluster.address}/api/v1/nodes", verify=False, trust_env=False, timeout=60)  # noqa: S501

    assert answer.status_code == 401


def test_a_service_account_may_do_nothing_that_it_was_not_given(kubernetes_cluster: Cluster) -> None:
    where = namespace(kubernetes_cluster)
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{where}:default",
            "resourceAttributes": {"namespace": where, "verb": "list", "resource": "secrets"},
        },
    }

    answer = kubernetes_cluster.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)

    assert answer["status"]["allowed"] is False


def test_clusters_run_side_by_side_on_loopback_and_leave_nothing(kubernetes_cluster: Cluster) -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}

    with running_cluster() as other:
        processes = [process for process in psutil.Process().children(recursive=True) if process.pid not in before]
        listeners = {
            process.pid: connection.laddr.ip
            for process in processes
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        }
        other.add_nodes([SimulatedNode("only-here", ZONES[0], "us-east-1")])
        assert other.api.exists("/api/v1/nodes/only-here")
        assert not kubernetes_cluster.api.exists("/api/v1/nodes/only-here")

    assert len(listeners) == 3
    assert set(listeners.values()) == {"127.0.0.1"}
    assert not any(process.is_running() for process in processes)
    assert not other.directory.exists()


def test_a_cluster_that_is_there_already_is_used_and_left_alone(kubernetes_cluster: Cluster) -> None:
    with existing_cluster(kubernetes_cluster.kubeconfig) as same:
        assert len(same.api.list("/api/v1/nodes")) == len(ZONES)

    assert kubernetes_cluster.api.is_ready()


def test_only_its_owner_reads_what_lets_people_in(kubernetes_cluster: Cluster) -> None:
    secret = [kubernetes_cluster.kubeconfig, *kubernetes_cluster.directory.rglob("*.key")]

    assert len(secret) > 3
    assert {path.stat().st_mode & 0o077 for path in secret} == {0}


def test_the_etcd_that_does_not_start_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assets = tmp_path_factory.mktemp("assets")
    (assets / "etcd").write_text("#!/bin/sh\necho no space left\nexit 3\n")
    (assets / "etcd").chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))

    with pytest.raises(ClusterFailed, match=r"'etcd' \(exit code 3\).*\nno space left"), running_cluster():
        pass
