"""Where flow runs come from, as a real Prefect server shows it."""

import getpass
import json
from pathlib import Path
from typing import Any

import pytest
from prefect import flow, tags
from prefect._internal.schemas.fields import CreatedBy
from prefect.client.orchestration import SyncPrefectClient

from tasks.environment import EnvironmentName
from tasks.git import current_commit
from tasks.runs.origin import record_origin, running_commit, started_by_tag


@flow(name="tagged", on_running=[record_origin])
def tagged(environment: EnvironmentName, requested_by: str = "") -> None:
    """A flow as ours."""


@flow(name="parent", on_running=[record_origin])
def parent(environment: EnvironmentName) -> None:
    """One that has a subflow."""
    tagged(environment)


def runs(client: SyncPrefectClient) -> dict[str, set[str]]:
    return {client.read_flow(run.flow_id).name: set(run.tags) for run in client.read_flow_runs()}


def commit_tags() -> set[str]:
    commit = current_commit()
    return {f"commit:{commit}"} if commit else set()


@pytest.mark.prefect_server
def test_a_run_and_its_subflow_carry_commit_environment_and_who_started_them(prefect_client: SyncPrefectClient) -> None:
    parent(EnvironmentName.DEV)

    expected = {"environment:dev", *commit_tags()}
    assert runs(prefect_client) == {
        "parent": {*expected, started_by_tag(getpass.getuser())},
        # It is part of the other.
        "tagged": expected,
    }


@pytest.mark.prefect_server
@pytest.mark.parametrize(
    ("given", "parameters", "who"),
    [
        (["started-by:alice"], {"requested_by": "bob"}, "alice"),
        ([], {"requested_by": "bob"}, "bob"),
    ],
)
def test_who_asked_by_name_is_kept(
    prefect_client: SyncPrefectClient, given: list[str], parameters: dict[str, Any], who: str
) -> None:
    with tags(*given):
        tagged(EnvironmentName.DEV, **parameters)

    (found,) = runs(prefect_client).values()
    assert {tag for tag in found if tag.startswith("started-by:")} == {f"started-by:{who}"}


@pytest.mark.prefect_server
@pytest.mark.parametrize(("creator", "expected"), [("SCHEDULE", {"started-by:schedule"}), (None, set())])
def test_a_schedule_is_named_and_nobody_is_made_up(
    prefect_client: SyncPrefectClient, creator: str | None, expected: set[str]
) -> None:
    deployment = prefect_client.create_deployment(prefect_client.create_flow(tagged), "dev", tags=["environment:dev"])
    run = prefect_client.create_flow_run_from_deployment(deployment, parameters={"environment": "dev"})
    assert run.state is not None

    # The scheduler of the server writes who created a run.
    record_origin(
        tagged, run.model_copy(update={"created_by": CreatedBy(type=creator) if creator else None}), run.state
    )

    found = set(prefect_client.read_flow_run(run.id).tags)
    assert found == {"environment:dev", *commit_tags(), *expected}


def test_an_image_tells_its_commit(tmp_path: Path) -> None:
    bill = tmp_path / "bill.json"
    bill.write_text(json.dumps({"metadata": {"component": {"version": "ab" * 20}}}), encoding="utf-8")
    assert running_commit(bill) == (current_commit() or "ab" * 20)
    assert running_commit(tmp_path / "absent.json") == current_commit()
