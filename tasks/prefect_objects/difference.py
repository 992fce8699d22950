"""The difference between what is desired and what is there, as a list that can be shown and applied."""

from typing import Any

from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events import AutomationCore
from prefect.utilities.callables import ParameterSchema

from tasks.prefect_objects.blocks import differing_fields
from tasks.prefect_objects.change import Change, change_of
from tasks.prefect_objects.desired import SCHEDULE_SLUG, Deployment, Desired, WorkPool
from tasks.prefect_objects.observed import Observed


def difference(desired: Desired, observed: Observed) -> list[Change]:
    """Compare object by object, in the order in which changes can be applied.

    Work pools and concurrency limits are never deleted: they carry no mark that says who made them. What a person
    paused or disabled stays so, but for concurrency limits, without which runs overlap that must not.
    """
    changes = [_work_pool(pool, observed) for pool in desired.work_pools]
    for name, slots in desired.limits.items():
        there = observed.limits.get(name)
        wanted = {"limit": slots, "active": True}
        differing = tuple(field for field, value in wanted.items() if there and getattr(there, field) != value)
        changes.append(change_of("concurrency limit", name, there is not None, differing))
    for deployment in desired.deployments:
        found = observed.deployments.get(deployment.full_name)
        differing, paused = _fields(deployment, found), found is not None and found.paused
        changes.append(change_of("deployment", deployment.full_name, found is not None, differing, paused))
        changes.extend(_schedule(deployment, found))
    gone = sorted(set(observed.deployments) - {deployment.full_name for deployment in desired.deployments})
    changes.extend(Change("deployment", name, "delete") for name in gone)
    for automation in desired.automations:
        there = observed.automations.get(automation.name)
        differing, disabled = _automation_fields(automation, there), there is not None and not there.enabled
        changes.append(change_of("automation", automation.name, there is not None, differing, disabled))
    gone = sorted(set(observed.automations) - {automation.name for automation in desired.automations})
    changes.extend(Change("automation", name, "delete") for name in gone)
    return [*changes, *_variables(desired, observed), *_blocks(desired, observed)]


def own_schedule(deployment: DeploymentResponse | None) -> DeploymentSchedule | None:
    """The schedule that comes from the environment file; schedules that people added are not looked at."""
    schedules = deployment.schedules if deployment else []
    return next((schedule for schedule in schedules if schedule.slug == SCHEDULE_SLUG), None)


def _work_pool(pool: WorkPool, observed: Observed) -> Change:
    found = observed.work_pools.get(pool.name)
    if found is None:
        return Change("work pool", pool.name, "create")
    if found.type != pool.type:
        raise WorkPoolTypeDiffers(
            f"work pool {pool.name!r} is of type {found.type!r} and has to be {pool.type!r}, which Prefect cannot "
            "change; delete the work pool, or name another in environment.prefect.work_pools"
        )
    differing = tuple(field for field, wanted in pool.fields.items() if getattr(found, field) != wanted)
    return change_of("work pool", pool.name, True, differing, found.is_paused)


class WorkPoolTypeDiffers(Exception):
    """A work pool of the wanted name exists and cannot run what it should."""


def _fields(deployment: Deployment, found: DeploymentResponse | None) -> tuple[str, ...]:
    if found is None:
        return ()
    return tuple(
        field
        for field, wanted in deployment.fields.items()
        if _comparable(field, _found(found, field)) != _comparable(field, wanted)
    )


def _found(deployment: DeploymentResponse, field: str) -> Any:
    if field == "concurrency_limit":
        # Prefect answers with the limit that it keeps for the deployment; the field of this name is always empty.
        limit = deployment.global_concurrency_limit
        return limit.limit if limit else None
    return getattr(deployment, field)


def _automation_fields(automation: AutomationCore, found: AutomationCore | None) -> tuple[str, ...]:
    # Whether it is enabled is not compared: what a person switched off stays off.
    compared = ("description", "tags", "trigger", "actions")
    return tuple(field for field in compared if found and getattr(found, field) != getattr(automation, field))


def _variables(desired: Desired, observed: Observed) -> list[Change]:
    changes: list[Change] = []
    for name, value in desired.variables.items():
        there = observed.variables.get(name)
        wanted = {"value": value, "tags": sorted(desired.tags)}
        found = {"value": there.value, "tags": sorted(there.tags)} if there else wanted
        differing = tuple(field for field in wanted if found[field] != wanted[field])
        changes.append(change_of("variable", name, there is not None, differing))
    gone = sorted(set(observed.variables) - set(desired.variables))
    return [*changes, *(Change("variable", name, "delete") for name in gone)]


def _blocks(desired: Desired, observed: Observed) -> list[Change]:
    changes: list[Change] = []
    for name, block in desired.blocks.items():
        there = observed.blocks.get(name)
        changes.append(change_of("block", name, there is not None, differing_fields(block, there) if there else ()))
    gone = sorted(set(observed.blocks) - set(desired.blocks))
    return [*changes, *(Change("block", name, "delete") for name in gone)]


def _comparable(field: str, value: Any) -> object:
    match field:
        case "tags":
            return sorted(value)
        case "pull_steps":
            return value or []
        case "parameter_openapi_schema":
            return ParameterSchema.model_validate(value or {}).model_dump(mode="json")
        case _:
            return value


def _schedule(deployment: Deployment, found: DeploymentResponse | None) -> list[Change]:
    there = own_schedule(found)
    if deployment.schedule is None:
        return [Change("schedule", deployment.full_name, "delete")] if there else []
    # Whether it is active is not compared: a schedule that a person paused stays paused.
    differing = ("schedule",) if there and there.schedule != deployment.schedule else ()
    paused = there is not None and not there.active
    return [change_of("schedule", deployment.full_name, there is not None, differing, paused)]
