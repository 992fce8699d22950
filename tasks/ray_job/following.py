"""Follows a RayJob to its end: what becomes of it goes to the log, its progress to whoever shows it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import ValidationError

from tasks.kubernetes.probe_result import Outcome, ProbeResult
from tasks.ray_job.cluster import FoundJob, RayJobs
from tasks.ray_job.dashboard import DashboardAway, JobLog
from tasks.ray_job.specification import DONE_WITHIN_SECONDS, NAMESPACE, RUNNING_WITHIN_SECONDS
from tasks.refresh.building import RefreshProgress
from tasks.refresh.job import PROGRESS, ProgressLine
from tasks.runs.log import Log

PAUSE_SECONDS = 2.0
# The operator takes up a new RayJob at once.
TAKEN_UP_WITHIN_SECONDS = 60
# It ends a job whose deadlines are over; what it has not ended by then has nobody who looks after it.
ENDED_WITHIN_SECONDS = RUNNING_WITHIN_SECONDS + DONE_WITHIN_SECONDS + 600
SECONDS_BETWEEN_LOOKS_AT_PODS = 10
SECONDS_BETWEEN_QUESTIONS = 5


class JobLost(Exception):
    """Somebody took the RayJob away while it was followed; says what was done to it, and what to do."""


class JobNotTakenUp(Exception):
    """No controller looks after the RayJob; says what to do."""


class JobCancelled(Exception):
    """The run that follows the job is being cancelled."""


@dataclass
class Follower:
    """Follows one RayJob. `cancelled` says whether the run is being cancelled."""

    jobs: RayJobs
    log: Log
    on_progress: Callable[[RefreshProgress], None]
    cancelled: Callable[[], bool]
    _lines: JobLog = field(default_factory=JobLog)
    _said: set[str] = field(default_factory=set[str])
    _looked: float = -SECONDS_BETWEEN_LOOKS_AT_PODS
    _asked: float = -SECONDS_BETWEEN_QUESTIONS

    def follow(self, job: FoundJob) -> FoundJob | ProbeResult:
        """Wait until `job` has ended; returns what it came to, or that simulated nodes cannot run it.

        Raises:
            JobLost: somebody deleted or suspended it.
            JobNotTakenUp: the operator does nothing about it.
            JobCancelled: the run is being cancelled.
            ClusterFault: the API refuses, or does not answer for a minute.
        """
        began = time.monotonic()
        while True:
            self._require_not_cancelled(job)
            job = self._found(job)
            self._say(
                f"RayJob {NAMESPACE}/{job.name}: {job.deployment or 'new'}{f', {job.state}' if job.state else ''}"
            )
            if job.ended:
                self._stream(job, last=True)
                return job
            if not job.deployment and time.monotonic() - began > TAKEN_UP_WITHIN_SECONDS:
                raise JobNotTakenUp(
                    f"the RayJob {NAMESPACE}/{job.name} was not taken up within {TAKEN_UP_WITHIN_SECONDS} s: the "
                    "KubeRay operator does not work; run the addons stage, and look at the operator's log"
                )
            if time.monotonic() - began > ENDED_WITHIN_SECONDS:
                raise JobNotTakenUp(
                    f"the RayJob {NAMESPACE}/{job.name} is still {job.deployment}, {ENDED_WITHIN_SECONDS} s after it "
                    "was first seen and past all its deadlines: the KubeRay operator does not work; run the addons "
                    "stage, look at the operator's log, and run knowledge again"
                )
            if not self._stream(job) and (not_proved := self._look_at_pods(job)):
                return not_proved
            time.sleep(PAUSE_SECONDS)

    def _require_not_cancelled(self, job: FoundJob) -> None:
        if time.monotonic() - self._asked < SECONDS_BETWEEN_QUESTIONS:
            return
        self._asked = time.monotonic()
        if self.cancelled():
            raise JobCancelled(f"the run is being cancelled, and the RayJob {NAMESPACE}/{job.name} with it")

    def _found(self, job: FoundJob) -> FoundJob:
        found = self.jobs.find(job.name)
        if found is None or found.uid != job.uid:
            raise JobLost(
                f"the RayJob {NAMESPACE}/{job.name} was deleted by somebody else while it was "
                f"{job.state or job.deployment or 'new'}; what serves is untouched. Run knowledge again: it goes on "
                "where the job was"
            )
        if found.suspended:
            raise JobLost(
                f"the RayJob {NAMESPACE}/{job.name} was suspended while it was followed; what serves is untouched. Run "
                "knowledge again: it goes on where the job was"
            )
        return found

    def _stream(self, job: FoundJob, *, last: bool = False) -> bool:
        """Whether the dashboard answered; its new lines are in the log."""
        token = self.jobs.token(job) if job.dashboard and job.cluster else None
        if token is None:
            return False
        try:
            lines = self._lines.new_lines(job, token, last=last)
        except DashboardAway as error:
            if job.state:
                self._say(str(error))
            return False
        for line in lines:
            self._tell(line)
        return True

    def _tell(self, line: str) -> None:
        if not line.startswith(PROGRESS):
            self.log.info("%s", line)
            return
        try:
            seen = ProgressLine.model_validate_json(line.removeprefix(PROGRESS))
        except ValidationError:
            self.log.warning("a progress line of the job cannot be read: %s", line)
            return
        self.on_progress(RefreshProgress(seen.documents, seen.of_documents, seen.embedded))

    def _look_at_pods(self, job: FoundJob) -> ProbeResult | None:
        """Say what keeps its pods; a job that Ray cannot run because its nodes only pretend to is not proved."""
        if time.monotonic() - self._looked < SECONDS_BETWEEN_LOOKS_AT_PODS:
            return None
        self._looked = time.monotonic()
        pods = self.jobs.pods(job)
        for reason in pods.waiting:
            self._say(f"waiting: {reason}")
        if job.dashboard and not job.state and pods.on_simulated_nodes:
            return ProbeResult(
                Outcome.NOT_PROVED,
                f"KubeRay made the Ray cluster {job.cluster} of the RayJob {NAMESPACE}/{job.name}, whose pods are on "
                f"simulated nodes, such as {pods.on_simulated_nodes[0]}: nothing runs there, so no knowledge was "
                "refreshed",
            )
        return None

    def _say(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self.log.info("%s", what)
