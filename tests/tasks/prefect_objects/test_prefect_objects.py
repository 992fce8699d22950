"""Prefect as code against a real Prefect server."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate, WorkPoolUpdate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule

from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import (
    PREFECT_FILE,
    Change,
    reconcile,
)
from tests.tasks.prefect_objects.prefect_file import changed, edited

pytestmark = pytest.mark.prefect_server

FLOWS = {
    "lifecycle",
    "provision",
    "addons",
    "models",
    "knowledge",
    "evaluation",
    "traces",
    "agents",
    "drift",
    "drill",
    "upgrade",
    "teardown",
}


@pytest.fixture
def local() -> Environment:
    return load_environment(EnvironmentName.LOCAL)


def actions(changes: Sequence[Change]) -> Counter[str]:
    return Counter(change.action for change in changes)


def test_first_deploy_creates_and_second_changes_nothing(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    shown: list[Sequence[Change]] = []
    first = reconcile(local, prefect_server, dry_run=False, show=shown.append)
    second = reconcile(local, prefect_server, dry_run=False)

    assert shown == [first]
    assert set(actions(first)) == {"create"}
    assert {change.name for change in first if change.kind == "deployment"} == {f"{flow}/local" for flow in FLOWS}
    assert changed(second) == []
    assert len(second) == len(first)
    knowledge = prefect_client.read_deployment_by_name("knowledge/local")
    assert knowledge.parameters == {"environment": "local"}
    assert knowledge.work_pool_name == "management"
    assert [schedule.schedule for schedule in knowledge.schedules] == [
        CronSchedule(cron="0 3 * * *", timezone="UTC"),
    ]
    offered = knowledge.parameter_openapi_schema
    assert offered is not None
    assert offered["definitions"]["EnvironmentName"]["enum"] == ["local", "dev", "prod"]
    assert prefect_client.read_global_concurrency_limit_by_name("local-refresh").limit == 1
    assert prefect_client.read_work_pool("management").concurrency_limit == 4


def test_dry_run_shows_and_writes_nothing(
    prefect_server: str,
    prefect_client: SyncPrefectClient,
    local: Environment,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changes = reconcile(local, prefect_server, dry_run=True)

    assert set(actions(changes)) == {"create"}
    printed = capsys.readouterr().out
    assert "create" in printed
    assert "knowledge/local" in printed
    assert prefect_client.read_deployments() == []
    assert prefect_client.read_work_pools() == []


def test_the_limit_of_a_deployment_is_put_back_and_taken_away(
    prefect_server: str, prefect_client: SyncPrefectClient, tmp_path: Path
) -> None:
    dev = load_environment(EnvironmentName.DEV)
    limit = ("concurrency_limit", "concurrency_options")
    unlimited = edited(tmp_path, "    concurrency_limit: { limit: 1, collision_strategy: CANCEL_NEW }\n", "")
    reconcile(dev, prefect_server, dry_run=False)
    for file in (unlimited, PREFECT_FILE):
        changes = changed(reconcile(dev, prefect_server, dry_run=False, file=file))
        assert changes == [Change("deployment", "events/dev", "update", limit)]
        assert changed(reconcile(dev, prefect_server, dry_run=False, file=file)) == []
    options = prefect_client.read_deployment_by_name("events/dev").concurrency_options
    assert options is not None
    assert options.collision_strategy is ConcurrencyLimitStrategy.CANCEL_NEW


def test_prune_removes_ours_and_leaves_a_strangers(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment, tmp_path: Path
) -> None:
    reconcile(local, prefect_server, dry_run=False)
    reconcile(load_environment(EnvironmentName.DEV), prefect_server, dry_run=False)
    flow = prefect_client.create_flow_from_name("drift")
    prefect_client.create_deployment(flow, "by-hand", work_pool_name="management", tags=["environment:local"])
    block = PREFECT_FILE.read_text(encoding="utf-8")
    start = block.index("  - &drift")
    end = block.index("\n  - &", start) + 1

    changes = reconcile(local, prefect_server, dry_run=False, file=edited(tmp_path, block[start:end], ""))

    gone = {change.name for change in changes if change.action == "delete"}
    assert gone == {"drift/local"}
    drifts = {found.name for found in prefect_client.read_deployments() if found.flow_id == flow}
    assert drifts == {"by-hand", "dev"}


def test_changed_file_updates_only_what_differs(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment, tmp_path: Path
) -> None:
    # The same directory each time: the working directory of a local run is where the file lies.
    unedited = edited(tmp_path, "Compares", "Compares")
    reconcile(local, prefect_server, dry_run=False, file=unedited)
    file = edited(tmp_path, "Compares what runs", "Holds what runs against")

    changes = changed(reconcile(local, prefect_server, dry_run=False, file=file))

    assert changes == [Change("deployment", "drift/local", "update", ("description",))]
    description = prefect_client.read_deployment_by_name("drift/local").description
    assert description is not None
    assert description.startswith("Holds what runs against")


def test_every_object_changed_by_hand_is_put_back(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    reconcile(local, prefect_server, dry_run=False)
    prefect_client.update_work_pool("management", WorkPoolUpdate(concurrency_limit=1))
    prefect_client.upsert_global_concurrency_limit_by_name("local-refresh", 7)
    off = GlobalConcurrencyLimitUpdate(active=False)
    prefect_client.update_global_concurrency_limit("local-lifecycle", off)

    assert changed(reconcile(local, prefect_server, dry_run=False)) == [
        Change("work pool", "management", "update", ("concurrency_limit",)),
        Change("concurrency limit", "local-refresh", "update", ("limit",)),
        Change("concurrency limit", "local-lifecycle", "update", ("active",)),
    ]
    assert prefect_client.read_global_concurrency_limit_by_name("local-lifecycle").active
    assert changed(reconcile(local, prefect_server, dry_run=False)) == []


def test_parameters_are_added_to_a_deployment_and_taken_away_again(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    added = {"knowledge": {"directory": "/documents"}, "lifecycle": {"directory": "/documents"}}
    reconcile(local, prefect_server, dry_run=False, parameters=added)
    given = prefect_client.read_deployment_by_name("knowledge/local").parameters
    assert given == {"environment": "local", "directory": "/documents"}

    changes = changed(reconcile(local, prefect_server, dry_run=False))

    assert {(change.name, change.fields) for change in changes} == {
        ("knowledge/local", ("parameters",)),
        ("lifecycle/local", ("parameters",)),
    }
