"""What one environment should have in Prefect, from its variable file, `prefect.yaml` and the flows' signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.blocks.core import Block
from prefect.client.schemas.schedules import CronSchedule
from prefect.events import AutomationCore
from prefect.exceptions import MissingFlowError
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from tasks.environment import Environment
from tasks.environment.knowledge import Schedule
from tasks.prefect_objects.automations import automations
from tasks.prefect_objects.blocks import desired_blocks
from tasks.prefect_objects.job_template import cluster_job_template, process_job_template
from tasks.prefect_objects.prefect_file import DeploymentBlock, InvalidPrefectFile, read_prefect_file
from tasks.prefect_objects.tags import managed_tags
from tasks.resource_names import name_prefix
from tasks.runs.concurrency_limits import CONCURRENCY_LIMITS, limit_name

SCHEDULE_SLUG = "environment-file"
# A lifecycle run holds a slot while the deployment runs that it waits for hold theirs; the rest is for people.
MANAGEMENT_RUNS = 4


@dataclass(frozen=True)
class WorkPool:
    """A work pool; `fields` holds the Prefect API's fields that we set, under the API's names."""

    name: str
    type: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Deployment:
    """A deployment of `flow`; `fields` holds the Prefect API's fields that we set, under the API's names."""

    flow: str
    name: str
    fields: Mapping[str, Any]
    schedule: CronSchedule | None

    @property
    def full_name(self) -> str:
        """The name that `prefect deployment run` takes."""
        return f"{self.flow}/{self.name}"


@dataclass(frozen=True)
class Desired:
    """All Prefect objects of one environment. `limits` maps a concurrency limit's name to its slots.

    `variables` holds values and `blocks` what they say, each by its name; all of these names start with `prefix`.
    """

    work_pools: tuple[WorkPool, ...]
    limits: Mapping[str, int]
    deployments: tuple[Deployment, ...]
    tags: tuple[str, ...]
    automations: tuple[AutomationCore, ...]
    prefix: str
    variables: Mapping[str, str]
    blocks: Mapping[str, Block]


def desired_objects(
    environment: Environment, file: Path, extra: Mapping[str, Mapping[str, object]], webhook: UUID | None
) -> Desired:
    """Derive the objects of `environment`.

    `extra` adds parameters to a flow's deployment, by flow name; `webhook` is the id of the block that is called when
    somebody has to know of a run.

    Raises:
        InvalidPrefectFile: the file, an entry point, a work pool or a flow named in `extra` is not what it should be.
    """
    tags = managed_tags(environment.name)
    pools = _work_pools(environment)
    deployments: list[Deployment] = []
    for block in read_prefect_file(file, environment.name):
        flow = _load_flow(block, file)
        if block.work_pool.name not in {pool.name for pool in pools}:
            raise InvalidPrefectFile(
                f"{file}: {flow.name}/{block.name} runs in work pool {block.work_pool.name!r}, but the environment "
                f"file names {[pool.name for pool in pools]!r} under environment.prefect.work_pools"
            )
        deployments.append(_deployment(block, flow, tags, extra.get(flow.name, {}), _schedule(environment, flow.name)))
    known = sorted(deployment.flow for deployment in deployments)
    if unknown := sorted(set(extra) - set(known)):
        raise InvalidPrefectFile(f"{file}: parameters are given for {unknown!r}, but the deployed flows are {known!r}")
    limits = {limit_name(environment.name, purpose): slots for purpose, slots in CONCURRENCY_LIMITS.items()}
    prefix = f"{name_prefix(environment.name)}-"
    variables = {f"{prefix}{name}": value for name, value in environment.environment.prefect.variables.items()}
    return Desired(
        work_pools=pools,
        limits=limits,
        deployments=tuple(deployments),
        tags=tags,
        automations=automations(environment.name, webhook),
        prefix=prefix,
        variables=variables,
        blocks=desired_blocks(environment),
    )


def _work_pools(environment: Environment) -> tuple[WorkPool, ...]:
    names = environment.environment.prefect.work_pools
    management = WorkPool(
        names.management,
        "process",
        {
            "description": "Runs the stages that manage an environment.",
            "concurrency_limit": MANAGEMENT_RUNS,
            "base_job_template": process_job_template(),
        },
    )
    if names.cluster == names.management:
        return (management,)
    cluster = WorkPool(
        names.cluster,
        "kubernetes",
        {
            "description": "Runs the stages that work inside the cluster.",
            "concurrency_limit": None,
            "base_job_template": cluster_job_template(environment.name),
        },
    )
    return (management, cluster)


def _load_flow(block: DeploymentBlock, file: Path) -> Flow[..., object]:
    module, _, function = block.entrypoint.rpartition(".")
    path = f"{module.replace('.', '/')}.py"
    try:
        return load_flow_from_entrypoint(block.entrypoint, use_placeholder_flow=False)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise InvalidPrefectFile(f"{file}: entrypoint {block.entrypoint!r}: there is no file {path}") from error
    except MissingFlowError as error:
        message = f"{file}: entrypoint {block.entrypoint!r}: {path} has no flow {function!r}"
        raise InvalidPrefectFile(message) from error


def _deployment(
    block: DeploymentBlock,
    flow: Flow[..., object],
    tags: tuple[str, ...],
    extra: Mapping[str, object],
    schedule: CronSchedule | None,
) -> Deployment:
    schema = parameter_schema(flow)
    parameters = {**block.parameters, **extra}
    if unknown := sorted(set(parameters) - set(schema.properties)):
        raise InvalidPrefectFile(
            f"{flow.name}/{block.name} is given parameters {unknown!r}, but {block.entrypoint} takes "
            f"{sorted(schema.properties)!r}"
        )
    limit = block.concurrency_limit
    fields: dict[str, Any] = {
        "description": block.description,
        "tags": sorted({*block.tags, *tags}),
        "parameters": parameters,
        "entrypoint": block.entrypoint,
        "work_pool_name": block.work_pool.name,
        "job_variables": block.work_pool.job_variables,
        "pull_steps": block.pull,
        "parameter_openapi_schema": schema.model_dump(mode="json"),
        "enforce_parameter_schema": True,
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": limit.options if limit else None,
    }
    return Deployment(flow.name, block.name, fields, schedule)


def _schedule(environment: Environment, flow: str) -> CronSchedule | None:
    operations = environment.operations
    schedules: Mapping[str, Schedule | None] = {
        "knowledge": environment.knowledge.schedule,
        "evaluation": environment.evaluation.schedule,
        "traces": environment.evaluation.traces.schedule if environment.evaluation.traces else None,
        "drill": environment.knowledge.recovery.schedule,
        "events": environment.knowledge.events.schedule if environment.knowledge.events else None,
        "cost": operations.schedules.cost if operations else None,
        "drift": operations.schedules.drift if operations else None,
        "secrets": operations.schedules.secrets if operations else None,
    }
    schedule = schedules.get(flow)
    return CronSchedule(cron=schedule.cron, timezone=schedule.timezone) if schedule else None
