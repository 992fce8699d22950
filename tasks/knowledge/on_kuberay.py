"""A refresh on AWS: a RayJob in the environment's cluster, started and followed by a task of the flow `knowledge`."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.runtime import flow_run
from prefect.tasks import Task

from agents.settings import OpenSearchStore
from tasks.aws_session import explained_credentials
from tasks.environment import Environment
from tasks.git import current_commit
from tasks.knowledge.gate_questions import gate_questions
from tasks.kubernetes.own_cluster import open_own_cluster
from tasks.kubernetes.probe_result import ProbeResult
from tasks.ray_job.cluster import RayJobs
from tasks.ray_job.pods import MODEL_DIRECTORY
from tasks.ray_job.running import RefreshJobInterrupted, RefreshRun
from tasks.ray_job.specification import RayJobRequest
from tasks.refresh.building import RefreshProgress
from tasks.refresh.job import FormerModel, RefreshJob
from tasks.refresh.mirrored_model import MirroredModel
from tasks.refresh.packed_questions import pack
from tasks.refresh.report import RefreshReport
from tasks.runs.log import run_log
from tasks.runs.outages import may_be_over_soon
from tasks.runs.state import run_is_alive, this_run_is_cancelled
from tasks.store_settings import search_endpoint
from tasks.weights.places import weights_prefix

# Where each attempt writes what came of it: beside the documents it would be a change that starts the next one.
OUTCOME_KEY = "refreshes/outcome.json"
TRIES_AGAIN = 2
SECONDS_BETWEEN_TRIES = 10


def refresh_request(
    settings: Environment, outputs: Mapping[str, Any], image: str, *, confirm_deletions: bool
) -> RayJobRequest:
    """What a refresh of the environment is run with; `image` is that of Ray, by digest."""
    knowledge, region = settings.knowledge, settings.environment.region
    assert region is not None  # noqa: S101 - the model of the file guarantees it on AWS
    bucket = str(outputs["data"]["buckets"]["results"]["name"])
    job = RefreshJob(
        attempt=uuid.uuid4().hex,
        environment=settings.name.value,
        sources=knowledge.sources,
        chunks=knowledge.chunks,
        max_document_mib=knowledge.max_document_mib,
        fusion=knowledge.fusion,
        gate=knowledge.gate,
        deletion_guard=knowledge.deletion_guard,
        deletions_confirmed=confirm_deletions,
        questions=pack(gate_questions(settings)),
        generations_kept=knowledge.generations_kept,
        store=_store(settings, outputs),
        model=mirrored_embedding(settings, outputs, settings.models.embedding),
        context_tokens=settings.models.catalogue[settings.models.embedding].context_tokens,
        former=_former(settings, outputs),
        workers=knowledge.embedding_workers,
        model_directory=MODEL_DIRECTORY,
        outcome_uri=f"s3://{bucket}/{OUTCOME_KEY}",
        git_commit=current_commit(),
        flow_run_id=flow_run.get_id(),
    )
    return RayJobRequest(settings.name, image, region, job)


def worth_trying_again(tried: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether what ended the task may be gone next time."""
    interrupted = isinstance(state.result(raise_on_failure=False), RefreshJobInterrupted)
    return interrupted or may_be_over_soon(tried, run, state)


@task(
    task_run_name="refresh-on-kuberay",
    cache_policy=NO_CACHE,
    retries=TRIES_AGAIN,
    retry_delay_seconds=SECONDS_BETWEEN_TRIES,
    retry_condition_fn=worth_trying_again,
)
def refresh_on_kuberay(
    settings: Environment,
    outputs: Mapping[str, Any],
    image: str,
    on_progress: Callable[[RefreshProgress], None],
    *,
    confirm_deletions: bool,
) -> RefreshReport | ProbeResult:
    """Run the refresh as a RayJob and wait for it; not proved where only simulated nodes would run it.

    Raises:
        RefreshInProgress, RefreshRefused, RefreshJobFailed, RefreshJobInterrupted, JobLost, JobNotTakenUp,
            JobCancelled: see `RefreshRun.run`.
        PrefectAway: the server cannot say whether the run of another job is alive.
        NoCluster, WrongCluster, ClusterFault, MissingCredentials: the cluster or AWS cannot be used.
    """
    request = refresh_request(settings, outputs, image, confirm_deletions=confirm_deletions)
    with explained_credentials(), open_own_cluster(settings, outputs) as connection:
        run = RefreshRun(RayJobs(connection), request, run_log(), on_progress, run_is_alive, this_run_is_cancelled)
        return run.run()


def mirrored_embedding(settings: Environment, outputs: Mapping[str, Any], name: str) -> MirroredModel:
    """An embedding model, where the stage `models` mirrors it."""
    model = settings.models.catalogue[name]
    assert model.dimension is not None  # noqa: S101 - the model of the file guarantees it
    bucket = str(outputs["data"]["buckets"]["models"]["name"])
    return MirroredModel(name=name, dimension=model.dimension, bucket=bucket, prefix=weights_prefix(name, model))


def _former(settings: Environment, outputs: Mapping[str, Any]) -> FormerModel | None:
    name = settings.models.former_embedding
    if name is None:
        return None
    context_tokens = settings.models.catalogue[name].context_tokens
    return FormerModel(model=mirrored_embedding(settings, outputs, name), context_tokens=context_tokens)


def _store(settings: Environment, outputs: Mapping[str, Any]) -> OpenSearchStore:
    store = settings.knowledge.store
    assert store.engine == "opensearch"  # noqa: S101 - the model of the file guarantees it on AWS
    return OpenSearchStore(
        engine="opensearch",
        endpoint=search_endpoint(store, outputs),
        index_prefix=store.index_prefix,
        shards=store.shards,
        replicas=store.replicas,
        region=settings.environment.region,
    )
