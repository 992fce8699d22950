"""A lock that somebody else holds: who is named, and when it is broken."""

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Failed, Running

from tasks.terraform.commands import PlanKind, make_plan
from tasks.terraform.lock import Holder, StateLocked, current_lock
from tasks.terraform.lock_breaking import free_state
from tasks.terraform.root import TerraformRoot
from tasks.terraform.stored_objects import write_object

pytestmark = [pytest.mark.terraform, pytest.mark.prefect_server]


@flow(name="somebody")
def somebody() -> None:
    """A flow of which only runs are made."""


def plant_lock(root: TerraformRoot, run: UUID | None, host: str | None = None, *, minutes: int = 10) -> str:
    """Leave the lock, and the record, of a terraform that died; returns the lock's id."""
    identifier, taken = str(uuid4()), datetime.now(UTC) - timedelta(minutes=minutes)
    host = host or socket.gethostname()
    lock = {
        "ID": identifier,
        "Operation": "OperationTypeApply",
        "Info": "",
        "Who": f"worker@{host}",
        "Version": "1.11.4",
        "Created": taken.isoformat().replace("+00:00", "Z"),
        "Path": f"{root.backend.bucket}/{root.backend.key}",
    }
    write_object(root.backend, root.backend.lock_key, json.dumps(lock).encode())
    if run is not None:
        started = taken - timedelta(seconds=3)
        holder = Holder(flow_run_id=run, started=started, host=host, directory=Path("/nowhere"))
        write_object(root.backend, "holders/dev.json", holder.model_dump_json().encode())
    return identifier


def run_of_somebody(client: SyncPrefectClient, *, over: bool) -> UUID:
    run = client.create_flow_run(somebody)
    client.set_flow_run_state(run.id, Failed() if over else Running(), force=True)
    return run.id


def test_lock_of_a_run_that_is_over_is_broken_and_said(
    root: TerraformRoot, prefect_client: SyncPrefectClient, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_of_somebody(prefect_client, over=True)
    identifier = plant_lock(root, run, "another-host")

    free_state.fn(root, None)

    assert current_lock(root.backend) is None
    assert f"lock '{identifier}' of 'worker@another-host' for 'OperationTypeApply', since" in caplog.text
    assert "(10 minutes)" in caplog.text
    assert f"flow run {run} is over: breaking its lock" in caplog.text
    assert make_plan.fn(root, PlanKind.NORMAL).changed


def test_lock_of_a_run_under_way_stays(root: TerraformRoot, prefect_client: SyncPrefectClient) -> None:
    run = run_of_somebody(prefect_client, over=False)
    identifier = plant_lock(root, run)

    with pytest.raises(StateLocked, match=rf"{identifier}.*10 minutes.*flow run {run} took it on"):
        free_state.fn(root, None)

    assert current_lock(root.backend) is not None


@pytest.mark.parametrize("minutes", [10, 60 * 24])
def test_lock_that_no_run_says_it_took_stays(
    root: TerraformRoot, prefect_client: SyncPrefectClient, minutes: int
) -> None:
    plant_lock(root, run_of_somebody(prefect_client, over=True), minutes=5)
    identifier = plant_lock(root, None, "laptop-of-carol", minutes=minutes)

    with pytest.raises(StateLocked, match=rf"worker@laptop-of-carol.*no flow run says.*break_lock={identifier}"):
        free_state.fn(root, None)

    assert current_lock(root.backend) is not None


def test_lock_of_a_run_that_this_server_does_not_know_stays(
    root: TerraformRoot, prefect_client: SyncPrefectClient
) -> None:
    plant_lock(root, uuid4())
    with pytest.raises(StateLocked):
        free_state.fn(root, None)
    assert current_lock(root.backend) is not None


def test_any_lock_is_broken_by_its_own_name_only(root: TerraformRoot, prefect_client: SyncPrefectClient) -> None:
    identifier = plant_lock(root, None)

    with pytest.raises(StateLocked, match=f"break_lock='another' is not the lock that is held: lock '{identifier}'"):
        free_state.fn(root, "another")
    assert current_lock(root.backend) is not None
    free_state.fn(root, identifier)

    assert current_lock(root.backend) is None


def test_plan_does_not_start_while_somebody_holds_the_state(
    root: TerraformRoot, prefect_client: SyncPrefectClient
) -> None:
    run = run_of_somebody(prefect_client, over=False)
    plant_lock(root, run)
    with pytest.raises(StateLocked, match=f"flow run {run} took it"):
        make_plan.fn(root, PlanKind.NORMAL)
