"""The flow `knowledge` of an environment on AWS: real Prefect server, API server and KubeRay operator; played Ray."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, PREFECT_HOME
from prefect.states import Cancelling

from flows.knowledge import knowledge
from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment_outputs import EnvironmentOutputs, block_name
from tasks.knowledge.on_kuberay import OUTCOME_KEY
from tasks.kubernetes.probe_result import Outcome, ProbeResult
from tasks.ray_job.specification import NAMESPACE
from tasks.refresh.job import RefreshFailure, RefreshJob, RefreshOutcome, write_outcome
from tasks.refresh.report import RefreshReport
from tasks.released_images import publish_images
from tests.artifacts import newest_artifact
from tests.rehearsal.eks_cluster import eks_cluster
from tests.tasks.ray_job.conftest import BUCKET, IMAGE
from tests.tasks.ray_job.played_dashboard import PlayedDashboard, PlayedJob
from tests.tasks.ray_job.played_search_domain import PlayedDomain, running_search_domain

pytestmark = [pytest.mark.kubernetes, pytest.mark.prefect_server, pytest.mark.timeout(1200)]

DEV = EnvironmentName.DEV
REPORT = RefreshReport("20260101-000000-abcdef", True, 5, 7, 7, 0, 0, {"s3://b/bad.pdf": "encrypted"}, 12.5)
RAY_JOBS = f"/apis/ray.io/v1/namespaces/{NAMESPACE}/rayjobs"


@pytest.fixture
def domain(
    ray_cluster: Cluster, dashboard: PlayedDashboard, aws: EmulatedAws, prefect_client: SyncPrefectClient
) -> Iterator[PlayedDomain]:
    """What `provision` and the builds of images leave for this flow; yields the search domain."""
    with running_search_domain() as domain, eks_cluster(aws, ray_cluster, "knowledge-flow") as outputs:
        role = f"arn:aws:iam::{aws.account_id}:role/knowledge-flow"
        pods = {name: {"role_arn": f"{role}-{name}"} for name in ("agents", "ray", "prefect-worker")}
        values = {
            **outputs,
            "identity": {**outputs["identity"], "pod_identities": pods},
            "search": {"endpoint": domain.address, "administrator_role_arn": f"{role}-search-administrator"},
            "data": {"buckets": {"results": {"name": BUCKET}, "models": {"name": "models"}}},
        }
        EnvironmentOutputs(values=values).save(block_name(DEV), overwrite=True)
        publish_images(DEV, {"ray": IMAGE})
        yield domain


def job_of(played: PlayedJob) -> RefreshJob:
    return RefreshJob.model_validate_json(shlex.split(played.entrypoint)[-1])


def refresh_artifact(client: SyncPrefectClient) -> dict[str, Any]:
    return {row["what"]: row["value"] for row in json.loads(newest_artifact(client, "dev-knowledge-refresh"))}


def test_the_flow_tries_again_what_may_pass_and_reports_what_the_job_did(
    domain: PlayedDomain, dashboard: PlayedDashboard, ray_cluster: Cluster, prefect_client: SyncPrefectClient
) -> None:
    def play(played: PlayedJob) -> None:
        job = job_of(played)
        first = len(dashboard.jobs) == 1
        passing = RefreshFailure(kind="StoreUnavailable", message="429", try_again=True)
        write_outcome(job.outcome_uri, RefreshOutcome(attempt=job.attempt, outcome=passing if first else REPORT))
        played.end("FAILED" if first else "SUCCEEDED")

    dashboard.on_submit = play

    report = knowledge(DEV)

    assert report == REPORT
    assert len(dashboard.jobs) == 2
    job = job_of(next(iter(dashboard.jobs.values())))
    assert (job.store.endpoint, job.store.region) == (domain.address, "us-east-1")
    assert job.outcome_uri == f"s3://{BUCKET}/{OUTCOME_KEY}", "not beside the documents, of which it would be a change"
    assert job.model.prefix.startswith("weights/sentence-transformers/all-MiniLM-L6-v2/")
    assert sorted(domain.mappings) == ["agentic-eks-dev-readers", "agentic-eks-dev-writers"]
    assert refresh_artifact(prefect_client)["generation"] == REPORT.generation
    assert not ray_cluster.api.list(RAY_JOBS)


def test_the_flow_says_that_simulated_nodes_prove_nothing(
    domain: PlayedDomain, dashboard: PlayedDashboard, ray_cluster: Cluster, prefect_client: SyncPrefectClient
) -> None:
    dashboard.away = True

    result = knowledge(DEV)

    assert isinstance(result, ProbeResult)
    assert result.outcome is Outcome.NOT_PROVED
    assert refresh_artifact(prefect_client)["outcome"] == "not-proved"
    assert not ray_cluster.api.list(RAY_JOBS)


def test_cancelling_the_run_removes_its_job(
    domain: PlayedDomain, dashboard: PlayedDashboard, ray_cluster: Cluster, prefect_client: SyncPrefectClient
) -> None:
    environment = {
        **os.environ,
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_HOME": str(PREFECT_HOME.value()),
    }
    command = [sys.executable, "-m", "flows.knowledge", "--environment", "dev"]
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True) as process:
        ray_cluster.api.wait_until(
            RAY_JOBS,
            lambda found: any(item.get("status", {}).get("jobStatus") == "RUNNING" for item in found["items"]),
            seconds=400,
        )
        (run,) = prefect_client.read_flow_runs()
        prefect_client.set_flow_run_state(run.id, Cancelling())
        _, said = process.communicate(timeout=400)

    assert process.returncode == 1, said
    assert dashboard.stopped == list(dashboard.jobs)
    assert not ray_cluster.api.list(RAY_JOBS)
    state = prefect_client.read_flow_run(run.id).state
    assert state is not None
    assert state.is_cancelled(), state
