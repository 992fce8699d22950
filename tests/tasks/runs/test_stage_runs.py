"""Stages as runs of deployments on a real Prefect server; what a worker would do is played."""

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Failed, Running

from tasks.environment import EnvironmentName
from tasks.runs.stages import StageNotCompleted, run_stage
from tests.played_worker import played_worker, stage_runs

pytestmark = pytest.mark.prefect_server


@flow(name="models")
def models(environment: str) -> None:
    """What is deployed."""


@pytest.fixture
def deployed(prefect_client: SyncPrefectClient) -> SyncPrefectClient:
    prefect_client.create_deployment(prefect_client.create_flow(models), "dev", enforce_parameter_schema=False)
    return prefect_client


def run(attempt: str) -> str:
    return run_stage.fn(EnvironmentName.DEV, "models", {"environment": "dev"}, attempt, 0.1)


def test_a_stage_is_run_once_by_an_attempt_and_again_after_it_failed(deployed: SyncPrefectClient) -> None:
    with played_worker({"models": Failed(message="no capacity")}), pytest.raises(StageNotCompleted) as failed:
        run("first")
    assert "models/dev did not complete" in str(failed.value)
    assert "Failed: no capacity" in str(failed.value)
    assert "lifecycle/dev -p attempt=first" in str(failed.value)

    with played_worker():
        assert run("first").startswith("completed by run ")
        assert run("first").startswith("completed before by run ")
        assert run("second").startswith("completed by run ")

    keys = sorted(str(each.idempotency_key) for each in deployed.read_flow_runs())
    assert keys == [
        "dev-lifecycle-first-models-1",
        "dev-lifecycle-first-models-2",
        "dev-lifecycle-second-models-1",
    ]


def test_a_stage_that_is_under_way_is_joined(deployed: SyncPrefectClient) -> None:
    deployment = deployed.read_deployment_by_name("models/dev")
    under_way = deployed.create_flow_run_from_deployment(
        deployment.id, state=Running(), idempotency_key="dev-lifecycle-third-models-1"
    )

    with played_worker():
        done = run("third")

    assert done == f"completed by run {under_way.name}"
    assert [each.id for each in stage_runs(deployed)] == [under_way.id]
