"""The stages of a lifecycle on AWS: each a run of its own deployment, found again by the attempt that it belongs to."""

from collections.abc import Mapping
from typing import Any, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.runtime import flow_run

from tasks.environment import EnvironmentName
from tasks.runs.idempotency_key import next_key
from tasks.runs.log import run_log
from tasks.runs.origin import started_by_tags

POLL_SECONDS = 5


class StageNotCompleted(Exception):
    """The run of a stage failed, crashed or was cancelled; says which, and how to go on."""


@task(task_run_name="{stage}", cache_policy=NO_CACHE, persist_result=False)
def run_stage(
    environment: EnvironmentName,
    stage: str,
    parameters: Mapping[str, Any],
    attempt: str,
    poll_seconds: float = POLL_SECONDS,
) -> str:
    """Run the deployment `<stage>/<environment>` and wait for it without a time limit: it may wait for an approval.

    A stage that `attempt` completed is not run again, and one that is under way is joined. Returns what was done, in
    one line.

    Raises:
        StageNotCompleted: the run ended otherwise.
        ObjectNotFound: there is no such deployment.
    """
    name = f"{stage}/{environment.value}"
    with get_client(sync_client=True) as client:
        key, found = next_key(client, f"{environment.value}-lifecycle-{attempt}-{stage}")
    if found is not None and found.state is not None and found.state.is_completed():
        run_log().info("%s was completed by this attempt: run %s", name, found.id)
        return f"completed before by run {found.name}"
    # Not a subflow: Prefect suspends none, and an approval suspends.
    run = cast(
        FlowRun,
        run_deployment(
            name,
            parameters=dict(parameters),
            tags=started_by_tags(flow_run.get_tags()),
            idempotency_key=key,
            as_subflow=False,
            poll_interval=poll_seconds,
        ),
    )
    if run.state is None or not run.state.is_completed():
        state = f"{run.state.name}: {run.state.message}" if run.state else "unknown"
        raise StageNotCompleted(
            f"{name} did not complete: run {run.name!r} ({run.id}) is {state}. Put that right, and go on with "
            f"`prefect deployment run lifecycle/{environment.value} -p attempt={attempt}`"
        )
    return f"completed by run {run.name}"
