"""Runs a refresh as a RayJob: takes up the one that a killed run left, or creates one, and sees to its end."""

from collections.abc import Callable
from dataclasses import dataclass

from prefect.exceptions import TerminationSignal

from agents.knowledge.refusal import RefreshRefused
from tasks.kubernetes.probe_result import ProbeResult
from tasks.ray_job.cluster import FoundJob, RayJobs
from tasks.ray_job.following import Follower, JobCancelled
from tasks.ray_job.specification import NAMESPACE, RayJobRequest, ray_job
from tasks.refresh.building import RefreshProgress
from tasks.refresh.job import RefreshFailure, read_outcome
from tasks.refresh.report import RefreshReport
from tasks.runs.log import Log

# What KubeRay says of a job whose program ended by itself with this code: an error that another try would meet again.
ENDED_WITH_ERROR = ("exit code 1,", "exit code 2,")
# The operator refuses the object, or a deadline of ours is over.
FINAL_REASONS = ("ValidationFailed", "DeadlineExceeded", "PreRunningDeadlineExceeded")
# Somebody told Ray to stop it.
STOPPED = "STOPPED"


class RefreshInProgress(Exception):
    """Another run that is alive refreshes this environment; says which."""


class RefreshJobFailed(Exception):
    """The refresh failed in a way that trying again does not mend."""


class RefreshJobInterrupted(Exception):
    """The refresh was cut short, by its surroundings or by what may be gone next time."""


@dataclass(frozen=True)
class RefreshRun:
    """One try of a refresh on KubeRay. `owner_is_alive` says of a flow run whether it still looks after its job."""

    jobs: RayJobs
    request: RayJobRequest
    log: Log
    on_progress: Callable[[RefreshProgress], None]
    owner_is_alive: Callable[[str], bool]
    cancelled: Callable[[], bool]

    def run(self) -> RefreshReport | ProbeResult:
        """See the refresh to its end, and leave no RayJob behind; one that a killed run left is taken up.

        What another run began may have listed the documents before this one was asked for: a job of this one follows.

        Raises:
            RefreshInProgress: another run is at it.
            RefreshRefused: a person has to look first.
            RefreshJobFailed: it failed, and trying again would not help.
            RefreshJobInterrupted: it failed, and may succeed next time.
            JobLost, JobNotTakenUp, JobCancelled: see `Follower.follow`.
            ClusterFault: the API refuses or does not answer.
        """
        left = self._taken_up()
        if left is not None and left.flow_run == self.request.job.flow_run_id:
            return self._seen_to_its_end(left)
        if left is not None:
            self._let_end(left)
        return self._seen_to_its_end(self._created())

    def _let_end(self, left: FoundJob) -> None:
        """What it has embedded is not embedded again; how it ends is not how this run ends."""
        try:
            self._seen_to_its_end(left)
        except (RefreshRefused, RefreshJobFailed, RefreshJobInterrupted) as failure:
            self.log.warning("the job of flow run %s: %s; a job of this run follows", left.flow_run, failure)

    def _seen_to_its_end(self, job: FoundJob) -> RefreshReport | ProbeResult:
        follower = Follower(self.jobs, self.log, self.on_progress, self.cancelled)
        try:
            ended = follower.follow(job)
        except (JobCancelled, KeyboardInterrupt):
            self._remove(job)
            raise
        except TerminationSignal:
            # Whoever stops this process may mean only the process: a node that is drained, a new version of the worker.
            if self.cancelled():
                self._remove(job)
            raise
        result = ended if isinstance(ended, ProbeResult) else self._result(ended)
        self._remove(job)
        if isinstance(result, RefreshFailure):
            failure = f"{result.kind}: {result.message}"
            if result.rows:
                raise RefreshRefused(failure, result.rows)
            raise RefreshJobInterrupted(failure) if result.try_again else RefreshJobFailed(failure)
        return result

    def _taken_up(self) -> FoundJob | None:
        """The job that an earlier run left, where it does what is asked for now; any other is removed."""
        left = self.jobs.find(self.request.name)
        if left is None:
            return None
        live = not left.ended and not left.suspended
        if live and left.inputs == self.request.inputs:
            self.log.info("takes up the RayJob %s/%s of flow run %s", NAMESPACE, left.name, left.flow_run)
            return left
        others = left.flow_run and left.flow_run != self.request.job.flow_run_id
        if live and others and self.owner_is_alive(left.flow_run):
            raise RefreshInProgress(
                f"flow run {left.flow_run!r} refreshes {self.request.environment.value!r} with other inputs, by the "
                f"RayJob {NAMESPACE}/{left.name}: wait for it or cancel it, also when its process is gone"
            )
        self.log.info("removes the RayJob %s/%s that flow run %s left", NAMESPACE, left.name, left.flow_run)
        self.jobs.remove(left)
        return None

    def _created(self) -> FoundJob:
        job = self.jobs.create(ray_job(self.request))
        self.log.info("created the RayJob %s/%s", NAMESPACE, job.name)
        return job

    def _remove(self, job: FoundJob) -> None:
        self.jobs.remove(job)
        self.log.info("removed the RayJob %s/%s", NAMESPACE, job.name)

    def _result(self, job: FoundJob) -> RefreshReport | RefreshFailure:
        """What the job wrote down; where it wrote nothing, what KubeRay says of it."""
        outcome = read_outcome(self.request.job.outcome_uri, job.attempt)
        if outcome is not None:
            return outcome
        by_itself = any(code in job.message for code in ENDED_WITH_ERROR)
        passing = job.reason not in FINAL_REASONS and job.state != STOPPED and not by_itself
        return RefreshFailure(
            kind=job.reason or job.state or job.deployment, message=job.message or "it says nothing", try_again=passing
        )
