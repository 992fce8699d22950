"""Schedules of deployments on a real Prefect server: those of the file follow it, what people decided stays."""

from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolUpdate
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.schedules import CronSchedule
from prefect.states import Late, Pending

from tasks.drift.prefect_objects import compare_prefect_objects
from tasks.environment import Environment, EnvironmentName
from tasks.environment.knowledge import Schedule
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import (
    Change,
    reconcile,
)
from tests.tasks.prefect_objects.prefect_file import changed, edited

pytestmark = pytest.mark.prefect_server


@pytest.fixture
def local() -> Environment:
    return load_environment(EnvironmentName.LOCAL)


def with_knowledge_schedule(environment: Environment, schedule: Schedule | None) -> Environment:
    knowledge = environment.knowledge.model_copy(update={"schedule": schedule})
    return environment.model_copy(update={"knowledge": knowledge})


def test_paused_schedule_stays_paused(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    reconcile(local, prefect_server, dry_run=False)
    deployment = prefect_client.read_deployment_by_name("knowledge/local")
    prefect_client.update_deployment_schedule(deployment.id, deployment.schedules[0].id, active=False)
    prefect_client.pause_deployment(prefect_client.read_deployment_by_name("drift/local").id)

    assert changed(reconcile(local, prefect_server, dry_run=False)) == []
    at_four = with_knowledge_schedule(local, Schedule(cron="0 4 * * *", timezone="UTC"))
    assert changed(reconcile(at_four, prefect_server, dry_run=False)) == [
        Change("schedule", "knowledge/local", "update", ("schedule",), switched_off=True)
    ]
    (schedule,) = prefect_client.read_deployment_by_name("knowledge/local").schedules
    assert schedule.schedule == CronSchedule(cron="0 4 * * *", timezone="UTC")
    assert schedule.active is False
    assert prefect_client.read_deployment_by_name("drift/local").paused


def test_what_a_person_switched_off_is_told_and_stays_off(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment
) -> None:
    reconcile(local, prefect_server, dry_run=False)
    assert compare_prefect_objects.fn(local, {}).rows == ()
    deployment = prefect_client.read_deployment_by_name("knowledge/local")
    prefect_client.update_deployment_schedule(deployment.id, deployment.schedules[0].id, active=False)
    prefect_client.pause_deployment(prefect_client.read_deployment_by_name("drift/local").id)
    prefect_client.update_work_pool("management", WorkPoolUpdate(is_paused=True))
    dead = next(each for each in prefect_client.read_automations() if "process is gone" in each.name)
    prefect_client.pause_automation(dead.id)

    assert changed(reconcile(local, prefect_server, dry_run=False)) == []
    report = compare_prefect_objects.fn(local, {})

    report.require_none()
    assert {(row["what"], row["found"], row["drift"]) for row in report.rows} == {
        (what, "switched off by a person", False)
        for what in (
            "schedule knowledge/local",
            "deployment drift/local",
            "work pool management",
            f"automation {dead.name}",
        )
    }


def test_operations_of_an_environment_on_aws_are_scheduled(
    prefect_server: str, prefect_client: SyncPrefectClient
) -> None:
    reconcile(load_environment(EnvironmentName.DEV), prefect_server, dry_run=False)

    scheduled = {
        flow: [schedule.schedule for schedule in prefect_client.read_deployment_by_name(f"{flow}/dev").schedules]
        for flow in ("cost", "drift", "secrets")
    }
    assert scheduled == {
        "cost": [CronSchedule(cron="0 7 * * *", timezone="UTC")],
        "drift": [CronSchedule(cron="0 5 * * *", timezone="UTC")],
        "secrets": [CronSchedule(cron="0 4 * * *", timezone="UTC")],
    }


def test_looks_that_an_outage_left_behind_are_cancelled_but_one(
    prefect_server: str, prefect_client: SyncPrefectClient
) -> None:
    dev = load_environment(EnvironmentName.DEV)
    reconcile(dev, prefect_server, dry_run=False)
    deployment = prefect_client.read_deployment_by_name("events/dev").id
    late = [prefect_client.create_flow_run_from_deployment(deployment, state=Late()) for _ in range(3)]
    for run in late:
        prefect_client.set_flow_run_state(run.id, Pending())
    types = [prefect_client.read_flow_run(run.id).state_type for run in late]
    assert types == [StateType.PENDING, StateType.CANCELLED, StateType.CANCELLED]


def test_schedule_that_the_file_no_longer_has_goes_and_a_persons_schedule_stays(
    prefect_server: str, prefect_client: SyncPrefectClient, local: Environment, tmp_path: Path
) -> None:
    reconcile(local, prefect_server, dry_run=False)
    deployment = prefect_client.read_deployment_by_name("knowledge/local")
    by_hand = CronSchedule(cron="0 12 * * 1", timezone="UTC")
    prefect_client.create_deployment_schedules(deployment.id, [DeploymentScheduleCreate(schedule=by_hand)])

    assert changed(reconcile(local, prefect_server, dry_run=False)) == []
    file = edited(tmp_path, "Brings the knowledge base up to date", "Refreshes the knowledge base")
    reconcile(local, prefect_server, dry_run=False, file=file)
    assert len(prefect_client.read_deployment_by_name("knowledge/local").schedules) == 2
    unscheduled = with_knowledge_schedule(local, None)
    changes = reconcile(unscheduled, prefect_server, dry_run=False, file=file)
    assert [change.action for change in changed(changes)].count("delete") == 1
    (kept,) = prefect_client.read_deployment_by_name("knowledge/local").schedules
    assert kept.schedule == by_hand
