"""One run of a deployment as the Prefect server tells of it: started or joined, and watched with its subflows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterType,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTimestamp,
)
from prefect.client.schemas.objects import FlowRun, Log, StateType
from prefect.client.schemas.sorting import FlowRunSort, LogSort

from tasks.runs.origin import process_user, started_by_tag

UNDER_WAY = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
# Processes send their logs in batches of two seconds: a line may arrive after a younger one of another process.
LATE = timedelta(seconds=10)
LOG_PAGE = 200

EventKind = Literal["line", "warning", "error", "done", "failed"]
# What Prefect says of every run, and what the state of the run says again.
_ROUTINE = ("Beginning ", "Downloading flow code", "Encountered exception during execution", "View at ")
_FINISHED = "Finished in state "


@dataclass(frozen=True)
class RunEvent:
    """Something to tell: a line that `stage` (a flow's name) logged, or its end after `seconds`."""

    kind: EventKind
    stage: str
    text: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Progress:
    """What runs now: a stage, since when, and how much of it is done in percent, where it says."""

    stage: str
    started: datetime | None
    percent: float | None


def run_under_way(client: SyncPrefectClient, deployment: str) -> FlowRun | None:
    """The oldest run of `deployment` (`<flow>/<name>`) that is not over, None when there is none.

    Raises:
        ObjectNotFound: there is no such deployment.
    """
    identifier = client.read_deployment_by_name(deployment).id
    wanted = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[identifier]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=UNDER_WAY)),
    )
    found = client.read_flow_runs(flow_run_filter=wanted, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=1)
    return found[0] if found else None


def start_run(client: SyncPrefectClient, deployment: str) -> FlowRun:
    """Have a worker run `deployment` with the parameters that it was deployed with, in the name of this process's user.

    Raises:
        ObjectNotFound: there is no such deployment.
    """
    identifier = client.read_deployment_by_name(deployment).id
    return client.create_flow_run_from_deployment(identifier, tags=[started_by_tag(process_user())])


@dataclass
class WatchedRun:
    """A flow run and its subflows; every `poll` returns what happened since the one before.

    With `own_lines` that includes what the run itself logged, not its subflows alone.
    """

    client: SyncPrefectClient
    run: FlowRun
    own_lines: bool = False
    last_line_seen: bool = False
    _seen: set[UUID] = field(default_factory=set[UUID])
    _runs: dict[UUID, FlowRun] = field(default_factory=dict[UUID, FlowRun])
    _flows: dict[UUID, str] = field(default_factory=dict[UUID, str])
    _read_from: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether the run has reached its final state."""
        return self.run.state_type not in UNDER_WAY

    @property
    def failed(self) -> FlowRun:
        """The stage that failed, or the run itself when none of its stages did."""
        ended_badly = (StateType.FAILED, StateType.CRASHED)
        stages = [run for run in self._runs.values() if run.state_type in ended_badly and run.id != self.run.id]
        return stages[-1] if stages else self.run

    def stage(self, run: FlowRun) -> str:
        """The name of the flow that `run` runs."""
        if run.flow_id not in self._flows:
            self._flows[run.flow_id] = self.client.read_flow(run.flow_id).name
        return self._flows[run.flow_id]

    def poll(self) -> list[RunEvent]:
        """Read states and logs once; returns the new events in order."""
        self.run = self.client.read_flow_run(self.run.id)
        children = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[self.run.id]))
        for run in (self.run, *self.client.read_flow_runs(flow_run_filter=children)):
            self._runs[run.id] = run
        return [event for log in self._new_logs() for event in self._events(log)]

    def progress(self) -> Progress | None:
        """What runs at this moment, None before and after."""
        running = [run for run in self._runs.values() if run.state_type == StateType.RUNNING and run.id != self.run.id]
        if not running:
            return None
        run = running[-1]
        wanted = ArtifactFilter(
            flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]), type=ArtifactFilterType(any_=["progress"])
        )
        found = self.client.read_artifacts(artifact_filter=wanted)
        return Progress(self.stage(run), run.start_time, float(str(found[0].data)) if found else None)

    def _new_logs(self) -> Sequence[Log]:
        wanted = LogFilter(
            flow_run_id=LogFilterFlowRunId(any_=list(self._runs)),
            timestamp=LogFilterTimestamp.model_validate({"after_": self._read_from}) if self._read_from else None,
        )
        new: list[Log] = []
        while True:
            offset = len(new)
            page = self.client.read_logs(wanted, limit=LOG_PAGE, offset=offset, sort=LogSort.TIMESTAMP_ASC)
            new += page
            if len(page) < LOG_PAGE:
                break
        if new:
            self._read_from = new[-1].timestamp - LATE
        fresh = [log for log in new if log.id not in self._seen]
        self._seen.update(log.id for log in fresh)
        return fresh

    def _events(self, log: Log) -> Sequence[RunEvent]:
        run = self._runs.get(log.flow_run_id) if log.flow_run_id else None
        if run is None:
            return ()
        stage = self.stage(run)
        own = log.name == "prefect.flow_runs"
        if own and log.message.startswith(_FINISHED):
            if run.id != self.run.id:
                return (_end(run, stage, log.message),)
            self.last_line_seen = True
            return ()
        if own and log.message.startswith(_ROUTINE):
            return ()
        text = log.message.strip().partition("\n")[0]
        if log.level >= 40:
            return (RunEvent("error", stage, text),)
        if log.level >= 30:
            return (RunEvent("warning", stage, text),)
        # The lifecycle tells of its stages what they told themselves; tasks and the worker tell of their own running.
        return (RunEvent("line", stage, text),) if own and (self.own_lines or run.id != self.run.id) else ()


def _end(run: FlowRun, stage: str, message: str) -> RunEvent:
    seconds = (run.total_run_time or run.estimated_run_time).total_seconds()
    kind = "done" if message.startswith(f"{_FINISHED}Completed") else "failed"
    return RunEvent(kind, stage, message.removeprefix(_FINISHED), seconds)
