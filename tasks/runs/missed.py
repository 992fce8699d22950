"""Runs that a schedule made while no worker took them: the first run after an outage does for all of them."""

from collections.abc import Iterator
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from tasks.runs.log import run_log

PAGE = 200
"""As many runs as Prefect's server lists at once."""
BY_SCHEDULE = "auto-scheduled"
"""The tag that Prefect's scheduler gives to the runs that it makes."""


@task(task_run_name="cancel-missed-runs", cache_policy=NO_CACHE, persist_result=False)
def cancel_missed_runs(deployment: str, now: datetime) -> int:
    """Cancel the runs that the schedule of `deployment` made for a time before `now` and that wait; returns how many.

    What somebody asked for by hand waits on.
    """
    with get_client(sync_client=True) as client:
        missed = [*_missed(client, deployment, now)]
        for run in missed:
            client.set_flow_run_state(
                run.id, Cancelled(message="No worker picked this run up in time; a later run covers it.")
            )
    if missed:
        run_log().info("cancelled %d runs of %s that no worker took in time", len(missed), deployment)
    return len(missed)


def _missed(client: SyncPrefectClient, deployment: str, now: datetime) -> Iterator[FlowRun]:
    try:
        identifier = client.read_deployment_by_name(deployment).id
    except ObjectNotFound:
        # The flow runs where it was never deployed.
        return
    wanted = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[identifier]),
        state=FlowRunFilterState(name=FlowRunFilterStateName(any_=["Scheduled", "Late"])),
        tags=FlowRunFilterTags(all_=[BY_SCHEDULE]),
        expected_start_time=FlowRunFilterExpectedStartTime.model_validate({"before_": now}),
    )
    offset = 0
    while page := client.read_flow_runs(flow_run_filter=wanted, limit=PAGE, offset=offset):
        yield from page
        offset += len(page)
