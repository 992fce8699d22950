"""Releases on a real API server: order, what changes nothing, what is removed, what a plan shows."""

import pytest

from tasks.helm.rollout import Action, RolloutFailed, require_rolled_out
from tasks.kubernetes.probe_result import Outcome
from tests.tasks.helm.conftest import DEFINITIONS, Rollout

pytestmark = [pytest.mark.kubernetes]
UNSCHEDULABLE = {"cpu": "1000"}


def two_releases(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets")
    rollout.described.add("user", "dependant", needs=["widgets"])
    rollout.described.values("widgets", {"password": "letmein-1"})


def greeting(rollout: Rollout, name: str = "widgets") -> str:
    return rollout.cluster.api.get(f"/api/v1/namespaces/default/configmaps/{name}")["data"]["greeting"]


def test_a_dependant_finds_the_definitions_of_what_it_needs(rollout: Rollout) -> None:
    two_releases(rollout)
    results = rollout.run()
    require_rolled_out(list(results.values()))
    assert [(result.name, result.action, result.revision) for result in results.values()] == [
        ("widgets", Action.INSTALLED, 1),
        ("user", Action.INSTALLED, 1),
    ]
    assert [line.split(":")[0] for line in rollout.lines] == ["widgets", "user"]
    assert rollout.cluster.api.get("/apis/example.com/v1/namespaces/default/widgets/user")["spec"] == {"size": 1}


def test_the_labels_of_a_namespace_stay_when_a_release_is_rolled_out_into_it(rollout: Rollout) -> None:
    labels = {"pod-security.kubernetes.io/audit": "restricted"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guarded", "labels": labels}}
    # As a chart makes it: Helm sets fields under this name.
    rollout.cluster.api.apply(namespace, manager="helm")
    rollout.described.add("widgets", "widgets", namespace="guarded")
    require_rolled_out(list(rollout.run().values()))
    assert rollout.cluster.api.get("/api/v1/namespaces/guarded")["metadata"]["labels"].items() >= labels.items()


def test_what_is_unchanged_gets_no_revision(rollout: Rollout) -> None:
    two_releases(rollout)
    rollout.run()
    results = rollout.run()
    assert {(result.action, result.revision) for result in results.values()} == {(Action.UNCHANGED, 1)}
    assert {record.revision for name in results if (record := rollout.record(name))} == {1}


def test_values_charts_and_definitions_are_changes(rollout: Rollout) -> None:
    two_releases(rollout)
    rollout.run()
    rollout.described.values("widgets", {"greeting": "bye"}, layer="dev")
    assert rollout.run()["widgets"].action is Action.UPGRADED
    assert greeting(rollout) == "bye"
    definition = rollout.described.directory / "charts" / "widgets" / "crds" / "widgets.yaml"
    definition.write_text(
        definition.read_text(encoding="utf-8").replace(
            "size: { type: integer }", "size: { type: integer, maximum: 9 }"
        ),
        encoding="utf-8",
    )
    results = rollout.run()
    assert (results["widgets"].action, results["widgets"].revision) == (Action.UPGRADED, 3)
    assert results["user"].action is Action.UNCHANGED
    applied = rollout.cluster.api.get(f"{DEFINITIONS}/widgets.example.com")
    schema = applied["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema["properties"]["spec"]["properties"]["size"]["maximum"] == 9


def test_what_leaves_the_file_is_removed_and_its_definitions_stay(rollout: Rollout) -> None:
    two_releases(rollout)
    rollout.run()
    for name in ("widgets", "user"):
        rollout.described.drop(name)
    results = rollout.run()
    # The dependant goes before what it needs.
    assert [(name, result.action) for name, result in results.items()] == [
        ("user", Action.REMOVED),
        ("widgets", Action.REMOVED),
    ]
    assert rollout.record("widgets") is None
    assert rollout.cluster.api.exists(f"{DEFINITIONS}/widgets.example.com")


def test_a_stage_installs_and_removes_its_own_releases_only(rollout: Rollout) -> None:
    two_releases(rollout)
    rollout.described.change("user", stage="models")
    assert list(rollout.run("addons")) == ["widgets"]
    assert list(rollout.run("models")) == ["user"]
    rollout.described.drop("user")
    assert list(rollout.run("addons")) == ["widgets"]
    assert rollout.record("user") is not None
    assert rollout.run("models")["user"].action is Action.REMOVED


def test_a_release_that_moves_to_another_stage_stays(rollout: Rollout) -> None:
    two_releases(rollout)
    rollout.run("addons")
    rollout.described.change("user", stage="models")
    assert list(rollout.run("addons")) == ["widgets"]
    moved = rollout.run("models")["user"]
    assert (moved.action, moved.revision) == (Action.UNCHANGED, 1)


def test_a_release_without_a_digest_holds_up_only_its_dependants(rollout: Rollout) -> None:
    away = {"source": "https", "repository": "https://charts.example.com", "name": "widgets", "version": "1.0.0"}
    rollout.described.add("widgets", "widgets", chart=away)
    rollout.described.add("user", "dependant", needs=["widgets"])
    rollout.described.add("apart", "widgets")
    assert rollout.plan()["widgets"].action == "chart away"
    results = rollout.run()
    assert {name: result.action for name, result in results.items()} == {
        "widgets": Action.CHART_AWAY,
        "user": Action.BLOCKED,
        "apart": Action.INSTALLED,
    }
    with pytest.raises(RolloutFailed, match=r"widgets: chart away .*releases.widgets.* has no digest.*`make charts`"):
        require_rolled_out(list(results.values()))


def test_a_plan_shows_differences_without_secrets_and_changes_nothing(rollout: Rollout) -> None:
    two_releases(rollout)
    planned = rollout.plan()
    assert {name: release.action for name, release in planned.items()} == {"widgets": "install", "user": "install"}
    assert rollout.record("widgets") is None
    rollout.run()
    rollout.described.values("widgets", {"greeting": "bye", "password": "letmein-2"})
    rollout.described.drop("user")
    planned = rollout.plan()
    assert {name: release.action for name, release in planned.items()} == {"widgets": "upgrade", "user": "remove"}
    shown = planned["widgets"].difference
    assert "-  greeting: hello" in shown
    assert "+  greeting: bye" in shown
    assert "+  password: (hidden, changed)" in shown
    assert "letmein" not in shown
    assert (greeting(rollout), rollout.record("user") is None) == ("hello", False)


def test_a_failure_rolls_back_and_holds_up_only_its_dependants(rollout: Rollout) -> None:
    two_releases(rollout)
    rollout.run()
    rollout.described.add("apart", "dependant")
    rollout.described.change("widgets", deadline_seconds=10)
    rollout.described.values("widgets", {"greeting": "broken", **UNSCHEDULABLE})
    rollout.described.values("user", {"size": 2})
    results = rollout.run()
    assert {name: result.action for name, result in results.items()} == {
        "widgets": Action.FAILED,
        "user": Action.BLOCKED,
        "apart": Action.INSTALLED,
    }
    assert greeting(rollout) == "hello"
    with pytest.raises(RolloutFailed, match=r"(?s)widgets: failed.*deadline.*user: blocked.*needs widgets"):
        require_rolled_out(list(results.values()))
    assert "found no node: the scheduler says: 0/" in results["widgets"].detail


def test_nothing_is_removed_by_a_rollout_that_failed(rollout: Rollout) -> None:
    two_releases(rollout)
    rollout.run()
    rollout.described.drop("user")
    rollout.described.change("widgets", deadline_seconds=10)
    rollout.described.values("widgets", UNSCHEDULABLE)
    assert rollout.run()["widgets"].action is Action.FAILED
    assert rollout.record("user") is not None


def test_pods_on_simulated_nodes_prove_nothing(rollout: Rollout) -> None:
    rollout.described.add("widgets", "widgets", probe={"kind": "workloads"})
    probe = rollout.run()["widgets"].probe
    assert probe is not None
    assert probe.outcome is Outcome.NOT_PROVED
    assert "Deployment default/widgets has 1 of 1 pods ready, on simulated nodes such as system-us-east-1" in probe.seen


def test_a_release_whose_probe_fails_blocks_its_dependants(rollout: Rollout) -> None:
    accepted = {"kind": "condition", "group": "example.com", "version": "v1", "plural": "widgets", "condition": "Ready"}
    rollout.described.add("widgets", "widgets")
    rollout.described.add("user", "dependant", needs=["widgets"], probe=accepted, deadline_seconds=10)
    rollout.described.add("last", "dependant", needs=["user"])
    results = rollout.run()
    probe = results["user"].probe
    assert probe is not None
    assert (probe.outcome, probe.seen) == (Outcome.FAILED, "Widget user is not Ready: no controller reports on it")
    assert results["last"].action is Action.BLOCKED
