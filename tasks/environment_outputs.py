"""What Terraform made, for the stages that come after: a Prefect block for each environment."""

from typing import Any

from prefect import task
from prefect.blocks.core import Block
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from tasks.artifacts import publish_markdown
from tasks.environment import EnvironmentName


class OutputsMissing(Exception):
    """The environment was not provisioned from this Prefect server."""


class EnvironmentOutputs(Block):
    """Terraform's outputs of one environment; holds no secrets."""

    _block_type_name = "Environment Outputs"
    _block_type_slug = "environment-outputs"

    values: dict[str, Any] = Field(description="The outputs by name.")


def block_name(environment: EnvironmentName) -> str:
    """The name of an environment's block, such as `agentic-eks-dev-outputs`."""
    return f"agentic-eks-{environment.value}-outputs"


@task(task_run_name="publish-outputs", cache_policy=NO_CACHE, persist_result=False)
def publish_outputs(environment: EnvironmentName, outputs: dict[str, object]) -> None:
    """Keep the outputs in the environment's block, and show them as an artifact."""
    EnvironmentOutputs(values=outputs).save(block_name(environment), overwrite=True)
    rows = [f"| `{name}` | {value} |" for name, value in _flat("", outputs)]
    page = "\n".join((f"# What {environment.value} has", "| output | value |", "| --- | --- |", *rows))
    publish_markdown(environment, "provision", "outputs", page, f"Terraform's outputs of {environment.value}")


def load_outputs(environment: EnvironmentName) -> dict[str, Any]:
    """The outputs that `provision` published last.

    Raises:
        OutputsMissing: it never did.
    """
    try:
        block = EnvironmentOutputs.load(block_name(environment))
    except ValueError as error:
        raise OutputsMissing(
            f"there is no block {block_name(environment)!r}: run provision/{environment.value} first"
        ) from error
    assert isinstance(block, EnvironmentOutputs)  # noqa: S101 - what load answers outside of an event loop
    return block.values


def _flat(name: str, value: object) -> list[tuple[str, str]]:
    match value:
        case dict():
            return [line for key, inner in value.items() for line in _flat(f"{name}.{key}".lstrip("."), inner)]
        case list():
            return [(name, ", ".join(f"`{each}`" for each in value))]
        case None:
            return []
        case _:
            return [(name, f"`{value}`")]
