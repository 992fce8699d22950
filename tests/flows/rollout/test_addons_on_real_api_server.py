"""The flow `addons` as people and workers run it: a real Prefect server, helm and API server, an emulated AWS."""

from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.kubernetes.identity import mark_cluster, read_mark
from tasks.prefect_objects import reconcile
from tests.flows.conftest import RunPython
from tests.flows.rollout.conftest import Addons, Artifact
from tests.tasks.helm.conftest import IDENTITY, MARK, Rollout
from tests.tasks.helm.test_rollout import UNSCHEDULABLE, greeting, two_releases

pytestmark = [pytest.mark.prefect_server, pytest.mark.kubernetes, pytest.mark.timeout(1200)]

# What is added to dev.tfvars, so that the add-ons need a secret.
SENDS_TRACES = {
    "addons = {\n": """addons = {
  langfuse = { mode = "cloud", host = "https://cloud.langfuse.com", public_key = "pk-lf-1" }
""",
    "  secrets = {\n": '  secrets = {\n    langfuse-secret-key = { origin = "person" }\n',
}


def revisions(rollout: Rollout) -> dict[str, int]:
    records = {name: rollout.record(name) for name in ("widgets", "user")}
    return {name: record.revision for name, record in records.items() if record is not None}


def test_the_releases_are_rolled_out_and_a_second_run_changes_nothing(
    addons: Addons, rollout: Rollout, artifact: Artifact
) -> None:
    two_releases(rollout)
    done = addons()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 releases, 2 of them changed. widgets: installed, user: installed" in done.stderr
    assert "widgets: installed (revision 1," in done.stderr
    assert '"action": "installed"' in artifact("dev-addons-releases")
    again = addons()
    assert again.returncode == 0, again.stdout + again.stderr
    assert "2 releases, 0 of them changed." in again.stderr
    assert '"action": "unchanged"' in artifact("dev-addons-releases")
    assert revisions(rollout) == {"widgets": 1, "user": 1}


def test_a_plan_shows_the_manifests_and_changes_nothing(addons: Addons, rollout: Rollout, artifact: Artifact) -> None:
    two_releases(rollout)
    rollout.cluster.api.delete(MARK)
    done = addons("--mode", "plan")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "A rollout would change 2 of 2 releases. widgets: install, user: install" in done.stderr
    assert "### widgets: install" in artifact("dev-addons-plan")
    assert (revisions(rollout), read_mark(rollout.connection)) == ({}, None)
    mark_cluster(rollout.connection, IDENTITY)
    rollout.run()
    rollout.described.values("widgets", {"greeting": "bye"})
    assert addons("--mode", "plan").returncode == 0
    page = artifact("dev-addons-plan")
    assert "-  greeting: hello" in page
    assert "+  greeting: bye" in page
    assert "Unchanged: user." in page
    assert (greeting(rollout), revisions(rollout)) == ("hello", {"widgets": 1, "user": 1})


def test_a_release_that_fails_fails_the_run_and_is_in_the_table(
    addons: Addons, rollout: Rollout, artifact: Artifact
) -> None:
    two_releases(rollout)
    rollout.described.change("widgets", deadline_seconds=10)
    rollout.described.values("widgets", UNSCHEDULABLE)
    done = addons()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "RolloutFailed: widgets: failed" in done.stderr
    assert "user: blocked (revision 0, 0.0 s): needs widgets" in done.stderr
    assert '"action": "blocked"' in artifact("dev-addons-releases")


@pytest.mark.parametrize("mode", ["plan", "apply"])
def test_wrong_values_exit_with_2_before_anything_is_changed(addons: Addons, rollout: Rollout, mode: str) -> None:
    two_releases(rollout)
    base = rollout.described.values("widgets", {"replicas": "two"})
    done = addons("--mode", mode)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"{base}: replicas: got string, want integer" in done.stderr
    assert revisions(rollout) == {}


def test_a_secret_without_a_value_stops_the_rollout(addons: Addons, rollout: Rollout, checkout: Path) -> None:
    two_releases(rollout)
    file = checkout / "infra" / "environments" / "dev.tfvars"
    text = file.read_text(encoding="utf-8")
    for before, after in SENDS_TRACES.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    file.write_text(text, encoding="utf-8")
    done = addons()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "addons/dev needs secrets that have no value" in done.stderr
    assert "langfuse-secret-key" in done.stderr
    assert revisions(rollout) == {}


def test_a_worker_runs_the_deployment(
    addons: Addons,
    rollout: Rollout,
    checkout: Path,
    run_python: RunPython,
    prefect_server: str,
    prefect_client: SyncPrefectClient,
) -> None:
    two_releases(rollout)
    rollout.cluster.api.delete(MARK)
    reconcile(load_environment(EnvironmentName.DEV), prefect_server, dry_run=False, file=checkout / "prefect.yaml")
    deployment = prefect_client.read_deployment_by_name("addons/dev").id
    run = prefect_client.create_flow_run_from_deployment(deployment).id
    worker = run_python("-m", "prefect", "worker", "start", "--pool", "management", "--run-once")
    state = prefect_client.read_flow_run(run).state
    assert state is not None
    assert state.is_completed(), worker.stdout + worker.stderr
    assert revisions(rollout) == {"widgets": 1, "user": 1}
    assert prefect_client.read_global_concurrency_limit_by_name("dev-addons").active_slots == 0
    mark = read_mark(rollout.connection)
    assert mark is not None
    assert mark["environment"] == "dev"
