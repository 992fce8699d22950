"""A refresh as a RayJob: real API server, real KubeRay operator, simulated nodes, and a played dashboard of Ray."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from prefect.exceptions import TerminationSignal

from rehearsal.cluster import Cluster
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.faults import ClusterFault
from tasks.kubernetes.probe_result import Outcome, ProbeResult
from tasks.ray_job.cluster import FoundJob, RayJobs
from tasks.ray_job.following import JobCancelled, JobLost
from tasks.ray_job.running import RefreshInProgress, RefreshJobFailed, RefreshJobInterrupted
from tasks.ray_job.specification import NAMESPACE, RayJobRequest, ray_job
from tasks.refresh.building import RefreshProgress
from tasks.refresh.job import PROGRESS, ProgressLine, RefreshFailure, RefreshJob, RefreshOutcome, write_outcome
from tasks.refresh.report import RefreshReport
from tests.tasks.ray_job.conftest import MakeTrial, request
from tests.tasks.ray_job.played_dashboard import PlayedDashboard, PlayedJob

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

REPORT = RefreshReport("20260101-000000-abcdef", True, 5, 7, 7, 0, 0, {}, 12.5)
RAY_JOBS = f"/apis/ray.io/v1/namespaces/{NAMESPACE}/rayjobs"
RAY_JOB = f"{RAY_JOBS}/knowledge-dev"


def ends_well(asked: RayJobRequest) -> Callable[[PlayedJob], None]:
    """What a driver does that succeeds: progress, its outcome, its end."""

    def play(job: PlayedJob) -> None:
        line = ProgressLine(documents=2, of_documents=5, embedded=3)
        job.say("starts", PROGRESS + line.model_dump_json())
        write_outcome(asked.job.outcome_uri, RefreshOutcome(attempt=asked.job.attempt, outcome=REPORT))
        job.end("SUCCEEDED")

    return play


def wait_until_it_runs(cluster: Cluster) -> None:
    """Wait until there is a RayJob, and Ray is said to run it."""
    cluster.api.wait_until(
        RAY_JOBS,
        lambda found: any(item.get("status", {}).get("jobStatus") == "RUNNING" for item in found["items"]),
        seconds=300,
    )


def pods(cluster: Cluster) -> list[dict[str, Any]]:
    return cluster.api.list(f"/api/v1/namespaces/{NAMESPACE}/pods")


def nothing_is_left(cluster: Cluster) -> bool:
    cluster.api.wait_until(f"/api/v1/namespaces/{NAMESPACE}/pods", lambda found: not found["items"], seconds=300)
    clusters = cluster.api.list(f"/apis/ray.io/v1/namespaces/{NAMESPACE}/rayclusters")
    return not clusters and not cluster.api.exists(RAY_JOB)


def test_a_refresh_is_followed_to_its_end_and_leaves_nothing(
    trial: MakeTrial, dashboard: PlayedDashboard, ray_cluster: Cluster
) -> None:
    asked = request()
    seen: list[dict[str, Any]] = []

    def play(job: PlayedJob) -> None:
        seen.extend(pods(ray_cluster))
        ends_well(asked)(job)

    dashboard.on_submit = play

    done = trial(asked).start().wait()

    assert done.error is None
    assert done.result == REPORT
    assert done.progress == [RefreshProgress(2, 5, 3)]
    (job,) = dashboard.jobs.values()
    command = shlex.split(job.entrypoint)
    assert command[:3] == ["python", "-m", "tasks.refresh.run_job"]
    assert RefreshJob.model_validate_json(command[3]) == asked.job
    assert job.host.endswith(f".{NAMESPACE}.svc.cluster.local:8265")
    assert "" not in dashboard.tokens
    assert len(dashboard.tokens) == 1, "the operator and the flow present the token that KubeRay made"
    kinds = sorted(pod["metadata"]["labels"]["ray.io/node-type"] for pod in seen)
    assert kinds == ["head", "worker"]
    for pod in seen:
        assert pod["spec"]["serviceAccountName"] == "ray"
        for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])):
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, container["name"]
            assert container["resources"]["requests"]["cpu"], container["name"]
            token = {"name": "RAY_AUTH_MODE", "value": "token"}
            assert token in container["env"] or container["name"] == "fetch-model", container["name"]
    assert nothing_is_left(ray_cluster)


def test_a_job_deleted_by_hand_ends_the_run(trial: MakeTrial, dashboard: PlayedDashboard, ray_cluster: Cluster) -> None:
    followed = trial(request()).start()
    wait_until_it_runs(ray_cluster)

    ray_cluster.api.delete(RAY_JOB)

    assert isinstance(followed.wait().error, JobLost)
    assert "was deleted by somebody else" in str(followed.error)
    assert nothing_is_left(ray_cluster)


def test_a_cancelled_run_takes_its_job_with_it(
    trial: MakeTrial, dashboard: PlayedDashboard, ray_cluster: Cluster
) -> None:
    followed = trial(request()).start()
    wait_until_it_runs(ray_cluster)

    followed.cancel.set()

    assert isinstance(followed.wait().error, JobCancelled)
    assert dashboard.stopped == list(dashboard.jobs)
    assert nothing_is_left(ray_cluster)


@pytest.mark.parametrize(("same_run", "ends"), [(True, "well"), (False, "well"), (False, "badly")])
def test_the_job_of_a_stopped_run_is_taken_up_and_followed_by_one_that_sees_what_changed_since(
    trial: MakeTrial, dashboard: PlayedDashboard, ray_cluster: Cluster, same_run: bool, ends: str
) -> None:
    first = request()
    second = request(flow_run_id=first.job.flow_run_id) if same_run else request()

    def stop(_: RefreshProgress) -> None:
        raise TerminationSignal(15)

    stopped = trial(first)
    stopped.run = replace(stopped.run, on_progress=stop)
    dashboard.on_submit = lambda job: job.say(
        PROGRESS + ProgressLine(documents=1, of_documents=5, embedded=1).model_dump_json()
    )
    stopped.start().wait()
    assert isinstance(stopped.error, TerminationSignal)
    left = ray_cluster.api.get(RAY_JOB)["metadata"]["uid"]

    again = trial(second).start()
    ray_cluster.api.wait_until(RAY_JOB, lambda found: found["metadata"]["uid"] == left)
    (job,) = dashboard.jobs.values()
    dashboard.on_submit = ends_well(second)
    if ends == "well":
        ends_well(first)(job)
    else:
        job.end("FAILED", "Job entrypoint command failed with exit code 1, last logs: mended since")

    assert again.wait().error is None
    assert again.result == REPORT
    assert len(dashboard.jobs) == (1 if same_run else 2), "what another run began has listed the documents before this"
    assert nothing_is_left(ray_cluster)


def test_another_refresh_is_refused_while_one_is_alive_and_replaces_a_dead_one(
    trial: MakeTrial, dashboard: PlayedDashboard, ray_cluster: Cluster, connection: Connection
) -> None:
    other = request(max_document_mib=1)
    jobs = RayJobs(connection)
    left: FoundJob = jobs.create(ray_job(other))

    refused = trial(request(), owner_alive=True).start().wait()

    assert isinstance(refused.error, RefreshInProgress)
    assert str(other.job.flow_run_id) in str(refused.error)
    with pytest.raises(ClusterFault, match="already exists"):
        jobs.create(ray_job(request()))

    asked = request()
    dashboard.on_submit = lambda job: None if other.job.attempt in job.entrypoint else ends_well(asked)(job)
    replaced = trial(asked).start().wait()
    assert replaced.result == REPORT
    assert jobs.find(left.name) is None


@pytest.mark.parametrize(
    ("outcome", "status", "message", "error", "says"),
    [
        (
            RefreshFailure(kind="StoreUnavailable", message="429", try_again=True),
            "FAILED",
            "",
            RefreshJobInterrupted,
            "429",
        ),
        (
            RefreshFailure(kind="SourceEmpty", message="no file", try_again=False),
            "FAILED",
            "",
            RefreshJobFailed,
            "SourceEmpty: no file",
        ),
        (None, "FAILED", "Job entrypoint command failed with exit code 1, last logs: boom", RefreshJobFailed, "boom"),
        (
            None,
            "FAILED",
            "Job entrypoint command failed with exit code 137, last logs: ",
            RefreshJobInterrupted,
            "AppFailed",
        ),
        (
            None,
            "FAILED",
            "Job entrypoint command failed with exit code 3, last logs: could not be written",
            RefreshJobInterrupted,
            "could not be written",
        ),
        (None, "STOPPED", "", RefreshJobFailed, "STOPPED"),
    ],
    ids=["store away", "empty source", "traceback", "killed", "S3 away", "stopped by hand"],
)
def test_failures_are_told_apart(
    trial: MakeTrial,
    dashboard: PlayedDashboard,
    ray_cluster: Cluster,
    outcome: RefreshFailure | None,
    status: str,
    message: str,
    error: type[Exception],
    says: str,
) -> None:
    asked = request()

    def play(job: PlayedJob) -> None:
        if outcome is not None:
            write_outcome(asked.job.outcome_uri, RefreshOutcome(attempt=asked.job.attempt, outcome=outcome))
        job.end(status, message)

    dashboard.on_submit = play

    failed = trial(asked).start().wait()

    assert isinstance(failed.error, error), failed.error
    assert says in str(failed.error)
    assert not ray_cluster.api.exists(RAY_JOB)


def test_what_simulated_nodes_cannot_run_is_not_proved(
    trial: MakeTrial, dashboard: PlayedDashboard, ray_cluster: Cluster
) -> None:
    dashboard.away = True

    ended = trial(request()).start().wait()

    assert isinstance(ended.result, ProbeResult), ended.error
    assert ended.result.outcome is Outcome.NOT_PROVED
    assert "simulated nodes" in ended.result.seen
    assert nothing_is_left(ray_cluster)


def test_a_field_that_kuberay_does_not_know_is_refused(connection: Connection, ray_cluster: Cluster) -> None:
    document = json.loads(json.dumps(ray_job(request())))
    document["spec"]["rayClusterSpec"]["headGroupSpec"]["replicas"] = 2

    with pytest.raises(ClusterFault, match=r"unknown field.*headGroupSpec\.replicas"):
        RayJobs(connection).create(document)
    assert not ray_cluster.api.exists(RAY_JOB)
