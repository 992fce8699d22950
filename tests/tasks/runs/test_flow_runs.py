"""Against a real Prefect server; no worker runs, as after one was killed."""

from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.states import Running, Scheduled

from tasks.runs.under_way import cancel_flow_runs, mark_unattended_runs
from tests.ports import free_port

pytestmark = pytest.mark.prefect_server


@pytest.fixture
def deployment(prefect_client: SyncPrefectClient) -> UUID:
    prefect_client.create_work_pool(WorkPoolCreate(name="management", type="process"))
    return deploy(prefect_client, "management")


def deploy(client: SyncPrefectClient, pool: str) -> UUID:
    flow_id = client.create_flow_from_name("refresh")
    return client.create_deployment(flow_id, pool, work_pool_name=pool, entrypoint="none.py:none")


def run(client: SyncPrefectClient, deployment: UUID, *, running: bool = True) -> UUID:
    created = client.create_flow_run_from_deployment(deployment, state=Scheduled())
    if running:
        client.set_flow_run_state(created.id, Running(), force=True)
    return created.id


def state(client: SyncPrefectClient, run_id: UUID) -> str:
    found = client.read_flow_run(run_id).state
    assert found is not None
    return found.type.value


def test_runs_under_way_end_as_cancelled(
    prefect_server: str, prefect_client: SyncPrefectClient, deployment: UUID
) -> None:
    under_way = run(prefect_client, deployment)
    scheduled = run(prefect_client, deployment, running=False)

    cancelled = cancel_flow_runs(prefect_server, grace_seconds=1)

    assert [str(under_way)] == [found.id for found in cancelled]
    assert state(prefect_client, under_way) == "CANCELLED"
    assert state(prefect_client, scheduled) == "SCHEDULED"
    assert cancel_flow_runs(prefect_server, grace_seconds=1) == []


def test_server_that_is_gone_has_nothing_to_cancel() -> None:
    assert cancel_flow_runs(f"http://127.0.0.1:{free_port()}/api", grace_seconds=1) == []


def test_runs_that_lost_their_worker_are_crashed_and_those_of_other_pools_are_not(
    prefect_server: str, prefect_client: SyncPrefectClient, deployment: UUID
) -> None:
    prefect_client.create_work_pool(WorkPoolCreate(name="elsewhere", type="process"))
    lost = run(prefect_client, deployment)
    alive = run(prefect_client, deploy(prefect_client, "elsewhere"))
    waiting = run(prefect_client, deployment, running=False)

    marked = mark_unattended_runs(prefect_server, "management")

    assert [found.id for found in marked] == [str(lost)]
    assert state(prefect_client, lost) == "CRASHED"
    assert state(prefect_client, alive) == "RUNNING"
    assert state(prefect_client, waiting) == "SCHEDULED"
    prefect_client.set_flow_run_state(alive, Scheduled(), force=True)
