"""The Prefect blocks of an environment: which it should have, and which of those that are there are the project's."""

from collections.abc import Mapping

from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import BlockDocument

from tasks.environment import Environment

DEPLOYED_TYPES = ("s3-bucket",)
"""Slugs of the types that a deploy makes. Of other types are people's blocks and those in which flows record what runs:
a deploy takes away neither, whatever their names are."""
PAGE = 200


def desired_blocks(environment: Environment) -> Mapping[str, Block]:
    """By name each block that follows from the environment file: where results lie, of an environment on AWS."""
    if environment.laptop is not None:
        return {}
    # Imported where needed: the AWS client takes a second, and a laptop has no such block.
    from tasks.runs.result_storage import result_storage, result_storage_name
    from tasks.terraform.state_bucket import state_location

    return {result_storage_name(environment.name): result_storage(state_location(environment))}


def observed_blocks(client: SyncPrefectClient, prefix: str) -> Mapping[str, BlockDocument]:
    """By name the blocks of a deploy's types whose names start with `prefix`; their secrets are not read."""
    found: dict[str, BlockDocument] = {}
    offset = 0
    while page := client.read_block_documents(offset=offset, limit=PAGE, include_secrets=False):
        for document in page:
            kind, name = document.block_type, document.name
            if kind is not None and name is not None and kind.slug in DEPLOYED_TYPES and name.startswith(prefix):
                found[name] = document
        offset += len(page)
    return found


def differing_fields(block: Block, found: BlockDocument) -> tuple[str, ...]:
    """The fields in which the block that is there is not as it should be."""
    wanted = block.model_dump(mode="json")
    return tuple(field for field in type(block).model_fields if found.data.get(field) != wanted[field])
