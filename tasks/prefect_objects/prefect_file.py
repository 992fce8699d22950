"""`prefect.yaml`, read strictly: the deployments that the repository describes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.environment import REPOSITORY, EnvironmentName

PREFECT_FILE = REPOSITORY / "prefect.yaml"
_WORKING_DIRECTORY = "{{ $PWD }}"


class InvalidPrefectFile(Exception):
    """`prefect.yaml` cannot be deployed: says which file, which deployment, and what to change."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class WorkPoolReference(_Part):
    """The work pool that runs a deployment, and what the deployment overrides of its job template."""

    name: str
    job_variables: dict[str, object] = {}


class ConcurrencyLimit(_Part):
    """How many runs of a deployment may be under way at once, and what becomes of one more."""

    limit: int
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]

    @property
    def options(self) -> ConcurrencyOptions:
        """What Prefect keeps beside the limit."""
        return ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy(self.collision_strategy))


class DeploymentBlock(_Part):
    """One deployment. `name` is the environment; `entrypoint` is `flows.<stage>.<stage>`."""

    name: str
    entrypoint: str
    description: str
    parameters: dict[str, object]
    tags: list[str]
    work_pool: WorkPoolReference
    pull: list[dict[str, object]]
    concurrency_limit: ConcurrencyLimit | None = None


class _PrefectFile(BaseModel):
    deployments: list[DeploymentBlock]


def read_prefect_file(path: Path, environment: EnvironmentName) -> list[DeploymentBlock]:
    """The deployments of one environment, in the order of the file.

    A job variable that is `{{ $PWD }}` becomes the directory of the file, as it does for
    `prefect deploy --all` started there.

    Raises:
        InvalidPrefectFile: the file is absent, is not YAML, or a deployment in it has an unknown key or wrong type.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        blocks = _PrefectFile.model_validate(loaded).deployments
    except FileNotFoundError as error:
        raise InvalidPrefectFile(f"there is no {path}; it describes the deployments") from error
    except yaml.YAMLError as error:
        raise InvalidPrefectFile(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        raise InvalidPrefectFile(f"{path} is refused:\n" + "\n".join(_lines(error))) from error
    root = str(path.resolve().parent)
    return [_rooted(block, root) for block in blocks if block.name == environment.value]


def _rooted(block: DeploymentBlock, root: str) -> DeploymentBlock:
    variables: Mapping[str, object] = {
        key: root if value == _WORKING_DIRECTORY else value for key, value in block.work_pool.job_variables.items()
    }
    pool = block.work_pool.model_copy(update={"job_variables": variables})
    return block.model_copy(update={"work_pool": pool})


def _lines(error: ValidationError) -> list[str]:
    return [
        f"  {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}, got {problem['input']!r}"
        for problem in error.errors(include_url=False)
    ]
