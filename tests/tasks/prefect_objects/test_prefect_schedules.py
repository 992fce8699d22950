"""A real Prefect server, as it is locked, makes the runs of a schedule: a library of its own once kept it from that."""

from datetime import timedelta

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import IntervalSchedule

from tests.tasks.conftest import until

pytestmark = pytest.mark.prefect_server


def test_a_schedule_makes_runs(prefect_client: SyncPrefectClient) -> None:
    flow = prefect_client.create_flow_from_name("scheduled")
    hourly = DeploymentScheduleCreate(schedule=IntervalSchedule(interval=timedelta(hours=1)))
    deployment = prefect_client.create_deployment(flow, "hourly", schedules=[hourly])

    until(lambda: len(prefect_client.read_flow_runs()) > 0, seconds=180)

    assert {(run.deployment_id, run.auto_scheduled) for run in prefect_client.read_flow_runs()} == {(deployment, True)}
