"""What Prefect keeps of an environment's releases: it ends with the environment, or the next one would believe it."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from tasks.agent_service.cluster_release import AgentsRelease
from tasks.environment import EnvironmentName
from tasks.released_images import ReleasedImages
from tasks.resource_names import name_prefix
from tasks.runs.log import run_log


@task(task_run_name="forget-releases", cache_policy=NO_CACHE, persist_result=False)
def forget_releases(environment: EnvironmentName) -> None:
    """Delete the blocks that say which images the environment has, and which versions of the agents it released.

    Terraform's outputs stay: they describe what a teardown that was cut off has to find.
    """
    for kind in (ReleasedImages, AgentsRelease):
        forgotten = _delete_blocks(kind.get_block_type_slug(), f"{name_prefix(environment)}-")
        run_log().info("forgot %d blocks of the type %s", forgotten, kind.get_block_type_slug())


def _delete_blocks(slug: str, prefix: str) -> int:
    with get_client(sync_client=True) as client:
        try:
            client.read_block_type_by_slug(slug)
        except ObjectNotFound:
            return 0  # none was ever saved
        # The server answers with all of them, whatever limit it is asked for.
        blocks = client.read_block_documents_by_type(slug, include_secrets=False)
        ours = [block for block in blocks if (block.name or "").startswith(prefix)]
        for block in ours:
            client.delete_block_document(block.id)
    return len(ours)
