"""What Terraform made, for the stages that come after: a Prefect block for each environment."""

from typing import Any

from prefect import task
from prefect.blocks.core import Block
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from tasks.artifacts import publish_markdown
from tasks.environment import EnvironmentName
from tasks.resource_names import name_prefix
from tasks.saved_block import find_block


class OutputsMissing(Exception):
    """The environment was not provisioned from this Prefect server."""


class EnvironmentOutputs(Block):
    """Terraform's outputs of one environment; holds no secrets."""

    _block_type_name = "Environment Outputs"
    _block_type_slug = "environment-outputs"

    values: dict[str, Any] = Field(description="The outputs by name.")


def block_name(environment: EnvironmentName) -> str:
    """The name of an environment's block, such as `agentic-eks-dev-outputs`."""
    return f"{name_prefix(environment)}-outputs"


@task(task_run_name="publish-outputs", cache_policy=NO_CACHE, persist_result=False)
def publish_outputs(environment: EnvironmentName, outputs: dict[str, object]) -> None:
    """Keep the outputs in the environment's block, and show them as an artifact."""
    EnvironmentOutputs(values=outputs).save(block_name(environment), overwrite=True)
    page = "\n\n".join((f"# What {environment.value} has", *(_section(*output) for output in outputs.items())))
    publish_markdown(environment, "provision", "outputs", page, f"Terraform's outputs of {environment.value}")


def load_outputs(environment: EnvironmentName) -> dict[str, Any]:
    """The outputs that `provision` published last.

    Raises:
        OutputsMissing: it never did.
    """
    block = find_block(EnvironmentOutputs, block_name(environment))
    if block is None:
        raise OutputsMissing(f"there is no block {block_name(environment)!r}: run provision/{environment.value} first")
    return block.values


def last_outputs(environment: EnvironmentName, outputs: dict[str, Any]) -> dict[str, Any]:
    """The `outputs` of the state, and each that it does not have as `provision` published it.

    A destroy takes the outputs out of the state before all that they describe is gone.
    """
    try:
        published = load_outputs(environment)
    except OutputsMissing:
        published = {}
    return {**published, **outputs}


def _section(name: str, value: object) -> str:
    rows = [f"| {f'`{part}`' if part else ''} | {text} |" for part, text in _flat("", value)]
    return "\n".join((f"## {name}", "| output | value |", "| --- | --- |", *rows))


def _flat(name: str, value: object) -> list[tuple[str, str]]:
    match value:
        case dict():
            return [line for key, inner in value.items() for line in _flat(f"{name}.{key}".lstrip("."), inner)]
        case list():
            return [(name, ", ".join(f"`{each}`" for each in value))]
        case None | "":
            return [(name, "")]
        case _:
            return [(name, f"`{value}`")]
