"""Where the results of a run on AWS lie: in the state bucket, so that another worker can go on with the run."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext
from prefect_aws import AwsCredentials, S3Bucket

from tasks.environment import EnvironmentName
from tasks.resource_names import name_prefix
from tasks.terraform.state_bucket import RESULTS, StateLocation


@task(task_run_name="result-storage", cache_policy=NO_CACHE, persist_result=False)
def ensure_result_storage(environment: EnvironmentName, location: StateLocation) -> S3Bucket:
    """See `result_storage`; a deploy makes the same block."""
    block = result_storage(location)
    block.save(result_storage_name(environment), overwrite=True)
    return block


def result_storage(location: StateLocation) -> S3Bucket:
    """The block that names the place; it holds no credentials, those are the worker's own."""
    return S3Bucket(
        bucket_name=location.bucket,
        bucket_folder=f"{RESULTS}{location.environment.value}",
        credentials=AwsCredentials(region_name=location.region),
    )


def result_storage_name(environment: EnvironmentName) -> str:
    """The name of an environment's block, such as `agentic-eks-dev-results`."""
    return f"{name_prefix(environment)}-results"


def once_per_run(context: TaskRunContext, arguments: dict[str, Any]) -> str:
    """The cache key of a task that does its work once in a flow run, however often the run is begun anew.

    Once for each plan, where the task takes a `review`; otherwise once for each `attempt`.
    """
    which = arguments["review"].digest if "review" in arguments else arguments["attempt"]
    return f"{context.task_run.flow_run_id}/{context.task.name}-{which}"
