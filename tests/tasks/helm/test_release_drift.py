"""What drift says of the releases in a real cluster: what people did by hand, with who did it; nothing is changed."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from tasks.drift.releases import compare_cluster
from tasks.drift.report import DriftReport
from tasks.helm.records import ReleaseRecord
from tasks.helm.target import open_target
from tasks.helm.upgrade import Target
from tasks.kubernetes.binaries import cluster_binaries
from tasks.kubernetes.identity import Destination
from tests.tasks.helm.conftest import IDENTITY, NOWHERE, Rollout

pytestmark = pytest.mark.kubernetes
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/drifting"
SECRET = "/api/v1/namespaces/default/secrets/drifting"


@pytest.fixture
def target(rollout: Rollout) -> Iterator[Target]:
    rollout.described.add("drifting", "widgets")
    rollout.run()
    with open_target(rollout.settings, Destination(rollout.kubeconfig, IDENTITY, NOWHERE)) as target:
        yield target


def compared(rollout: Rollout, target: Target) -> DriftReport:
    return compare_cluster(target, rollout.settings, {}, rollout.described.sources)


def kubectl(rollout: Rollout, *arguments: str) -> None:
    command = [str(cluster_binaries().kubectl), "--kubeconfig", str(rollout.kubeconfig), "--namespace", "default"]
    subprocess.run([*command, *arguments], check=True, capture_output=True, timeout=60)


def by_what(report: DriftReport) -> dict[str, str]:
    return {str(row["what"]): f"{row['wanted']} -> {row['found']}: {row['cause']}" for row in report.rows}


def record_of(rollout: Rollout) -> ReleaseRecord:
    record = rollout.record("drifting")
    assert record is not None
    return record


def test_changes_by_hand_are_named_with_field_and_manager_and_stay(rollout: Rollout, target: Target) -> None:
    clean = compared(rollout, target)
    assert clean.rows == ()
    assert clean.scope == "1 releases"

    kubectl(rollout, "set", "image", "deployment/drifting", "*=registry.example.com/other:2", "--field-manager=bob")
    kubectl(rollout, "scale", "deployment/drifting", "--replicas=3")
    patch = json.dumps({"data": {"password": "bXVjaCBzZWNyZXQ="}})
    kubectl(rollout, "patch", "secret", "drifting", "--patch", patch, "--field-manager=eve")
    kubectl(rollout, "delete", "configmap", "drifting")
    before = [rollout.cluster.api.get(path)["metadata"]["resourceVersion"] for path in (DEPLOYMENT, SECRET)]

    report = compared(rollout, target)

    assert by_what(report) == {
        "spec.template.spec.containers[0].image": "registry.example.com/widgets:1.0.0 -> "
        "registry.example.com/other:2, set by 'bob': changed by hand in the cluster",
        "spec.replicas": "1 -> 3, set by 'kubectl': changed by hand in the cluster",
        "data.password": "(hidden) -> (hidden), set by 'eve': changed by hand in the cluster",
        "the object": "present -> absent: deleted by hand in the cluster",
    }
    assert any("release default/drifting: ConfigMap drifting: the object" in line for line in report.differing)
    assert "secret" not in "".join(report.differing).replace("Secret drifting", "")
    after = [rollout.cluster.api.get(path)["metadata"]["resourceVersion"] for path in (DEPLOYMENT, SECRET)]
    assert after == before
    assert not rollout.cluster.api.exists("/api/v1/namespaces/default/configmaps/drifting")


def test_what_the_files_want_and_nobody_rolled_out_is_told_from_a_revision_by_hand(
    rollout: Rollout, target: Target
) -> None:
    rollout.described.values("drifting", {"greeting": "another"})
    rollout.described.add("new", "widgets")
    found = by_what(compared(rollout, target))
    assert found["the release"] == "present -> absent: not rolled out yet"
    assert found["chart, values or CRDs, by their digest"].endswith(": not rolled out yet")

    revision = record_of(rollout).revision
    helm = [str(cluster_binaries().helm), "rollback", "drifting", str(revision), "--namespace", "default"]
    subprocess.run(
        helm, check=True, capture_output=True, timeout=60, env={"KUBECONFIG": str(rollout.kubeconfig), "HOME": "/tmp"}
    )
    assert "one of the project's -> revision 2" in by_what(compared(rollout, target))["the newest revision"]


def test_a_stage_that_was_never_run_is_no_difference(rollout: Rollout, target: Target) -> None:
    rollout.described.add("later", "widgets", stage="models")

    assert compared(rollout, target).rows == ()


def test_a_stage_whose_releases_are_all_gone_is_one_where_it_is_known_to_have_run(
    rollout: Rollout, target: Target
) -> None:
    rollout.described.add("service", "widgets", stage="agents")

    report = compare_cluster(target, rollout.settings, {}, rollout.described.sources, frozenset({"agents"}))

    assert by_what(report) == {"the release": "present -> absent: not rolled out yet"}


def test_a_release_that_the_files_lost_and_an_image_by_another_digest_are_named(
    rollout: Rollout, target: Target
) -> None:
    rollout.described.drop("drifting")
    wanted, running = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
    container = {"name": "main", "image": f"registry.example.com/pinned@{wanted}"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pinned", "namespace": "default"}}
    rollout.cluster.api.apply({**pod, "spec": {"containers": [container], "nodeName": "nowhere"}})
    status = {"name": "main", "ready": True, "restartCount": 0, "image": "", "imageID": f"registry/pinned@{running}"}
    rollout.cluster.api.set_status({**pod, "status": {"phase": "Running", "containerStatuses": [status]}})

    found = by_what(compared(rollout, target))

    rollout.cluster.api.delete("/api/v1/namespaces/default/pods/pinned?gracePeriodSeconds=0")
    assert found == {
        "the release": "absent -> present: not rolled out yet",
        "the image of main": f"{wanted} -> {running}: another image runs",
    }
