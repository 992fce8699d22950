"""The lifecycle of `dev` on a real Prefect server, with the deployments as shipped; the worker is played."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.states import Failed

from flows.lifecycle import STAGES
from tasks.agent_service.cluster_release import AgentsRelease
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import reconcile
from tests.artifacts import newest_artifact
from tests.flows.conftest import RunPython
from tests.former_embedding import name_former_embedding
from tests.played_worker import played_worker, stage_runs

pytestmark = pytest.mark.prefect_server

RELEASE = "agentic-eks-dev-agents-release"
LIFECYCLE = ("-m", "flows.lifecycle", "--environment", "dev", "--requested-by", "an engineer")


@pytest.fixture
def deployed(prefect_client: SyncPrefectClient, prefect_server: str, checkout: Path) -> SyncPrefectClient:
    """A client of a server that has the deployments, work pools and limits of `dev`."""
    reconcile(load_environment(EnvironmentName.DEV), prefect_server, dry_run=False, file=checkout / "prefect.yaml")
    return prefect_client


def flows_of(client: SyncPrefectClient, runs: list[FlowRun]) -> list[str]:
    return [client.read_flow(run.flow_id).name for run in runs]


def test_a_stage_that_fails_stops_the_lifecycle_and_its_attempt_goes_on_from_there(
    deployed: SyncPrefectClient, run_python: RunPython
) -> None:
    with played_worker({"knowledge": Failed(message="the gate refused the generation")}):
        stopped = run_python(*LIFECYCLE)

    assert stopped.returncode == 1
    assert "knowledge/dev did not complete" in stopped.stderr
    assert "Failed: the gate refused the generation" in stopped.stderr
    first = stage_runs(deployed)
    assert flows_of(deployed, first) == list(STAGES[: STAGES.index("knowledge") + 1])

    attempt = re.search(r"`prefect deployment run lifecycle/dev -p attempt=(\S+)`", stopped.stderr)
    assert attempt is not None, stopped.stderr
    with played_worker():
        resumed = run_python(*LIFECYCLE, "--attempt", attempt[1])

    assert resumed.returncode == 0, resumed.stderr
    runs = stage_runs(deployed)
    assert runs[: len(first)] == first, "what was completed is not touched"
    assert flows_of(deployed, runs[len(first) :]) == ["knowledge", "evaluation", "agents"]
    for before, after in pairwise(runs):
        assert before.end_time is not None
        assert after.created is not None
        assert before.end_time <= after.created, "a stage starts when the one before it has ended"
    assert {run.parent_task_run_id for run in runs} == {None}, "Prefect suspends no subflow, and an approval suspends"

    by_flow = dict(zip(flows_of(deployed, runs), runs, strict=True))
    assert by_flow["provision"].parameters == {"environment": "dev", "requested_by": "an engineer"}
    assert by_flow["evaluation"].parameters == {"environment": "dev", "answers": 20, "reuse": True}
    table = newest_artifact(deployed, "dev-lifecycle-stages")
    for stage, run in by_flow.items():
        before = "before " if stage in STAGES[:3] else ""
        assert f"completed {before}by run {run.name}" in table


def test_a_stage_without_a_deployment_is_an_error_and_no_stage_after_it_runs(
    deployed: SyncPrefectClient, run_python: RunPython
) -> None:
    deployed.delete_deployment(deployed.read_deployment_by_name("addons/dev").id)

    with played_worker():
        outcome = run_python(*LIFECYCLE)

    assert outcome.returncode == 1
    assert "addons/dev" in outcome.stderr
    assert flows_of(deployed, stage_runs(deployed)) == ["provision"]


def test_a_service_that_people_ask_learns_of_the_next_embedding_model_first(
    deployed: SyncPrefectClient, run_python: RunPython, checkout: Path
) -> None:
    name_former_embedding(checkout / "infra" / "environments" / "dev.tfvars")
    release = AgentsRelease(
        image="agents@sha256:0", settings="{}", since=datetime.now(UTC), commit="abc1234", released_by="an engineer"
    )
    release.save(RELEASE, overwrite=True)
    try:
        with played_worker():
            outcome = run_python(*LIFECYCLE)
    finally:
        AgentsRelease.delete(RELEASE)

    assert outcome.returncode == 0, outcome.stderr
    assert flows_of(deployed, stage_runs(deployed))[2:] == ["models", "agents", "knowledge", "evaluation"]
