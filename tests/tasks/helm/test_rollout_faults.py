"""What a cluster does to a rollout: each fault is got over, or is one error that says what to do."""

import copy
import json
import signal
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from rehearsal.cluster import Cluster
from tasks.helm.records import IN_BETWEEN
from tasks.helm.rollout import Action
from tasks.helm.stage import roll_out_releases
from tasks.kubernetes.binaries import cluster_binaries
from tasks.kubernetes.identity import Destination, WrongCluster
from tests.tasks.conftest import until
from tests.tasks.helm.admission_server import admission_server
from tests.tasks.helm.conftest import IDENTITY, NOWHERE, Rollout
from tests.tasks.helm.dropping_proxy import dropping_proxy
from tests.tasks.helm.test_rollout import UNSCHEDULABLE, greeting

pytestmark = [pytest.mark.kubernetes]


def helm(cluster: Cluster, *arguments: str) -> list[str]:
    return [str(cluster_binaries().helm), *arguments, "--kubeconfig", str(cluster.kubeconfig)]


def detail(rollout: Rollout, name: str) -> str:
    result = rollout.run()[name]
    assert result.action is Action.FAILED, result
    return result.detail


def killed_upgrade(rollout: Rollout, status: str, labels: str) -> None:
    """Start an upgrade of `widgets` that cannot become ready, and kill it while it waits."""
    chart = str(rollout.described.directory / "charts" / "widgets")
    values = json.dumps({"greeting": "half", **UNSCHEDULABLE})
    arguments = ["upgrade", "widgets", chart, "--install", "--wait", "--skip-crds", "--labels", labels, "-f", "-"]
    with subprocess.Popen(helm(rollout.cluster, *arguments), stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(values)
        process.stdin.close()
        deployment = "/apis/apps/v1/namespaces/default/deployments/widgets"
        until(lambda: rollout.cluster.api.exists(deployment))
        until(lambda: (record := rollout.record("widgets")) is not None and record.status == status)
        process.send_signal(signal.SIGKILL)


def test_a_killed_upgrade_goes_back_before_it_is_tried_again(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    rollout.run()
    killed_upgrade(rollout, "pending-upgrade", labels="agentic-eks/environment=dev,agentic-eks/revision=2")
    rollout.described.values("widgets", {"greeting": "whole"})
    assert rollout.run()["widgets"].action is Action.UPGRADED
    assert any("widgets: found pending-upgrade" in line and "back to revision 1" in line for line in rollout.lines)
    assert greeting(rollout) == "whole"


def test_a_killed_first_installation_is_removed_and_made_again(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    killed_upgrade(rollout, "pending-install", labels="agentic-eks/environment=dev,agentic-eks/revision=1")
    results = rollout.run()
    assert results["widgets"].revision == 1
    assert any("widgets: found pending-install" in line for line in rollout.lines)
    assert greeting(rollout) == "hello"


def test_an_upgrade_that_somebody_else_is_at_is_left_alone(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    rollout.run()
    killed_upgrade(rollout, "pending-upgrade", labels="somebody=else")
    said = detail(rollout, "widgets")
    assert "widgets: found pending-upgrade since" in said
    assert "by somebody else: wait until they are done" in said


def test_a_rollout_that_is_left_stops_its_helm(rollout: Rollout) -> None:
    rollout.described.add("quick", "dependant")
    rollout.described.add("widgets", "widgets")
    rollout.run()
    rollout.described.change("widgets", deadline_seconds=120)
    rollout.described.values("quick", {"size": 2})
    rollout.described.values("widgets", {"greeting": "half", **UNSCHEDULABLE})

    def cancel(line: str) -> None:
        until(lambda: (record := rollout.record("widgets")) is not None and record.revision > 1)
        raise KeyboardInterrupt(line)

    rollout.say = cancel
    with pytest.raises(KeyboardInterrupt):
        rollout.run()
    record = rollout.record("widgets")
    assert record is not None
    assert record.status not in IN_BETWEEN
    assert greeting(rollout) == "hello"


def test_a_webhook_that_does_not_serve_yet_is_waited_for(rollout: Rollout, tmp_path: Path) -> None:
    with admission_server(tmp_path / "admission") as server:
        rollout.described.add("webhook", "webhook")
        rollout.described.values("webhook", server.values)
        rollout.run()
        rollout.described.add("widgets", "widgets", namespace="guarded", needs=["webhook"])

        def start_on_retry(line: str) -> None:
            rollout.lines.append(line)
            if "widgets: try 2" in line:
                server.start()

        rollout.say = start_on_retry
        assert rollout.run()["widgets"].action is Action.INSTALLED
        assert any("try 2" in line for line in rollout.lines)


def test_a_webhook_that_never_serves_is_named(rollout: Rollout, tmp_path: Path) -> None:
    with admission_server(tmp_path / "admission") as server:
        rollout.described.add("webhook", "webhook")
        rollout.described.values("webhook", server.values)
        rollout.run()
        rollout.described.add("widgets", "widgets", namespace="guarded", needs=["webhook"], deadline_seconds=10)
        assert "the admission webhook 'configmaps.example.com' must answer first" in detail(rollout, "widgets")


def test_independent_releases_are_rolled_out_at_the_same_time(rollout: Rollout, tmp_path: Path) -> None:
    # Each release's ConfigMap passes only while the other's is being admitted too.
    both = threading.Barrier(2, timeout=30)
    releases = ("left", "right")
    with admission_server(tmp_path / "admission") as server:
        server.start(before_answer=lambda name: both.wait() if name in releases else None)
        rollout.described.add("webhook", "webhook")
        rollout.described.values("webhook", {**server.values, "timeoutSeconds": 30})
        rollout.run()
        for name in releases:
            rollout.described.add(name, "widgets", namespace="guarded", needs=["webhook"])
            rollout.described.values(name, {"selector": name})
        assert {result.action for name, result in rollout.run().items() if name != "webhook"} == {Action.INSTALLED}


def test_a_field_that_somebody_else_owns_is_named_with_its_owner(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    rollout.run()
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "widgets"}, "data": {"greeting": "mine"}}
    rollout.cluster.api.apply(theirs)
    rollout.described.values("widgets", {"greeting": "ours"})
    said = detail(rollout, "widgets")
    assert "the field .data.greeting is owned by 'rehearsal'" in said
    assert greeting(rollout) == "mine"


def crd_versions(rollout: Rollout, *versions: str, stored: str) -> None:
    """Let the chart's CRD have these versions."""
    path = rollout.described.directory / "charts" / "widgets" / "crds" / "widgets.yaml"
    definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = definition["spec"]["versions"][0]
    definition["spec"]["versions"] = [{**known, "name": name, "storage": name == stored} for name in versions]
    path.write_text(yaml.safe_dump(copy.deepcopy(definition)), encoding="utf-8")


def test_objects_of_an_old_stored_version_are_rewritten_when_it_goes(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    crd_versions(rollout, "v1alpha1", stored="v1alpha1")
    rollout.run()
    old = {"apiVersion": "example.com/v1alpha1", "kind": "Widget", "metadata": {"name": "old"}, "spec": {"size": 3}}
    rollout.cluster.api.apply(old)
    crd_versions(rollout, "v1", stored="v1")
    assert "stored as v1alpha1" in detail(rollout, "widgets")
    crd_versions(rollout, "v1alpha1", "v1", stored="v1")
    rollout.run()
    crd_versions(rollout, "v1", stored="v1")
    assert rollout.run()["widgets"].action is Action.UPGRADED
    assert any("rewrote the objects of the CRD widgets.example.com" in line for line in rollout.lines)
    assert rollout.cluster.api.get("/apis/example.com/v1/namespaces/default/widgets/old")["spec"] == {"size": 3}


def test_a_cluster_of_another_environment_is_not_touched(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    wrong = Destination(rollout.kubeconfig, replace(IDENTITY, environment="prod"), NOWHERE)
    with pytest.raises(WrongCluster, match=r"leads to another cluster at .*its environment is 'dev', not 'prod'"):
        roll_out_releases(rollout.settings, {}, wrong, rollout.described.sources, rollout.say, "addons")
    assert rollout.record("widgets") is None


def test_a_field_that_cannot_change_is_named(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    rollout.run()
    rollout.described.values("widgets", {"greeting": "bye", "selector": "other"})
    assert 'spec.selector of Deployment.apps "widgets" cannot change after its creation' in detail(rollout, "widgets")
    assert greeting(rollout) == "hello"


def test_a_release_of_somebody_else_is_neither_upgraded_nor_removed(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    chart = str(rollout.described.directory / "charts" / "widgets")
    subprocess.run(helm(rollout.cluster, "install", "widgets", chart, "--skip-crds"), check=True, capture_output=True)
    try:
        said = detail(rollout, "widgets")
        assert "the release 'widgets' in the namespace 'default' was installed by somebody else (revision 1" in said
        rollout.described.drop("widgets")
        assert rollout.run() == {}
        assert rollout.record("widgets") is not None
    finally:
        subprocess.run(helm(rollout.cluster, "uninstall", "widgets"), check=True, capture_output=True)


def test_a_revision_that_somebody_else_added_is_replaced(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    rollout.run()
    chart = str(rollout.described.directory / "charts" / "widgets")
    by_hand = helm(rollout.cluster, "upgrade", "widgets", chart, "--set", "greeting=by-hand")
    subprocess.run(by_hand, check=True, capture_output=True)
    assert greeting(rollout) == "by-hand"
    assert rollout.run()["widgets"].action is Action.UPGRADED
    assert greeting(rollout) == "hello"


def test_what_a_person_set_for_helm_leads_nowhere_else(rollout: Rollout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_KUBEAPISERVER", "https://127.0.0.1:1")
    monkeypatch.setenv("HELM_NAMESPACE", "kube-public")
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    rollout.described.add("widgets", "widgets")
    assert rollout.run()["widgets"].action is Action.INSTALLED
    assert rollout.record("widgets") is not None


@pytest.mark.parametrize("dropped", [{1, 2}, {2}, {3, 4}])
def test_an_api_that_is_briefly_away_is_waited_for(rollout: Rollout, tmp_path: Path, dropped: set[int]) -> None:
    rollout.described.add("widgets", "widgets")
    with dropping_proxy(rollout.cluster.kubeconfig, tmp_path, frozenset(dropped)) as (kubeconfig, proxy):
        rollout.kubeconfig = kubeconfig
        result = rollout.run()["widgets"]
        assert proxy.accepted > max(dropped)
    assert result.action is Action.INSTALLED, result
