"""Whether changes of documents make a refresh due, by what Prefect knows of the refreshes before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from tasks.environment.knowledge import Events
from tasks.runs.pending import BEGINS_WITHIN, never_began

LAST_RUNS = 50


@dataclass(frozen=True)
class Refreshes:
    """The refreshes of an environment: whether one is under way, when the last that completed began, and the last.

    `failed` is when the last one began and ended, where it did not complete; `last` is its id, also of one that did.
    """

    under_way: bool
    completed: datetime | None
    failed: tuple[datetime, datetime] | None
    last: UUID | None

    def have_seen(self, change: datetime) -> bool:
        """Whether a refresh that completed began after the change, and so read the documents with it.

        S3 lists what it has written at once, and a run lists seconds after it began, which clocks do not differ by.
        """
        return self.completed is not None and change < self.completed


def refreshes_until(client: SyncPrefectClient, deployment: str, now: datetime) -> Refreshes:
    """The latest runs of `deployment` that were due by `now`; returns to kept generations are none.

    One that a worker took and that never began counts as one that failed.

    Raises:
        ObjectNotFound: there is no such deployment.
    """
    identifier = client.read_deployment_by_name(deployment).id
    # A schedule makes its runs days ahead.
    due = FlowRunFilterExpectedStartTime.model_validate({"before_": now})
    runs = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[identifier])),
        flow_run_filter=FlowRunFilter(expected_start_time=due),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=LAST_RUNS,
    )
    refreshes = [run for run in runs if run.parameters.get("rollback_to") is None]
    ended = [run for run in refreshes if run.state is not None and (run.state.is_final() or never_began(run, now))]
    completed = (run.start_time for run in ended if run.state is not None and run.state.is_completed())
    began = [start for start in completed if start is not None]
    last = ended[0] if ended else None
    return Refreshes(len(ended) < len(refreshes), max(began, default=None), _failed(last), last.id if last else None)


def reason_to_wait(changes: Sequence[datetime], before: Refreshes, rules: Events, now: datetime) -> str | None:
    """Why no refresh is asked for now, though no refresh has seen these `changes` (at least one); None: it is due."""
    quiet, longest = timedelta(minutes=rules.quiet_minutes), timedelta(minutes=rules.longest_minutes)
    if before.under_way:
        return "a refresh is under way; what it has not seen is looked at again when it has ended"
    if before.failed is not None and max(changes) < before.failed[0] and now - before.failed[1] < longest:
        return f"a refresh that saw them did not complete; it is tried again {longest} after its end"
    if now - max(changes) < quiet and now - min(changes) < longest:
        return f"documents were still changing within the last {quiet}"
    return None


def _failed(last: FlowRun | None) -> tuple[datetime, datetime] | None:
    if last is None or last.state is None or last.state.is_completed():
        return None
    if last.state.is_pending():
        return last.state.timestamp, last.state.timestamp + BEGINS_WITHIN
    return None if last.start_time is None or last.end_time is None else (last.start_time, last.end_time)
