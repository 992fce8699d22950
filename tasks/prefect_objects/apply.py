"""Make a Prefect server agree with what is desired, one change at a time, through Prefect's own client."""

from collections.abc import Sequence

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
    VariableCreate,
    VariableUpdate,
    WorkPoolCreate,
    WorkPoolUpdate,
)
from prefect.events import AutomationCore
from prefect.events.schemas.automations import Automation

from tasks.prefect_objects.change import Change
from tasks.prefect_objects.desired import SCHEDULE_SLUG, Deployment, Desired, WorkPool
from tasks.prefect_objects.difference import own_schedule
from tasks.prefect_objects.observed import Observed


def apply_changes(client: SyncPrefectClient, changes: Sequence[Change], desired: Desired, observed: Observed) -> None:
    """Carry out `changes`, which `difference` made from the same `desired` and `observed`.

    Raises:
        PrefectHTTPStatusError: the server refuses a change; those before it stay, and the next deploy goes on.
    """
    for change in changes:
        if change.action == "unchanged":
            continue
        if change.action == "delete" and change.kind != "schedule":
            _delete(client, change, observed)
        else:
            _write(client, change, desired, observed)


def _delete(client: SyncPrefectClient, change: Change, observed: Observed) -> None:
    match change.kind:
        case "deployment":
            client.delete_deployment(observed.deployments[change.name].id)
        case "automation":
            client.delete_automation(observed.automations[change.name].id)
        case "variable":
            client.delete_variable_by_name(change.name)
        case "block":
            client.delete_block_document(observed.blocks[change.name].id)
        case "work pool" | "concurrency limit" | "schedule":
            raise AssertionError(f"a difference deletes no {change.kind}")


def _write(client: SyncPrefectClient, change: Change, desired: Desired, observed: Observed) -> None:
    pools = {pool.name: pool for pool in desired.work_pools}
    deployments = {deployment.full_name: deployment for deployment in desired.deployments}
    automations = {automation.name: automation for automation in desired.automations}
    match change.kind:
        case "work pool":
            _work_pool(client, change, pools[change.name])
        case "concurrency limit":
            _limit(client, change, desired.limits[change.name])
        case "deployment":
            _deployment(client, change, deployments[change.name], observed)
        case "schedule":
            _schedule(client, change, deployments[change.name])
        case "automation":
            _automation(client, automations[change.name], observed.automations.get(change.name))
        case "variable":
            _variable(client, change, desired)
        case "block":
            desired.blocks[change.name].save(change.name, overwrite=True)


def _work_pool(client: SyncPrefectClient, change: Change, pool: WorkPool) -> None:
    if change.action == "create":
        client.create_work_pool(WorkPoolCreate(name=pool.name, type=pool.type, **pool.fields))
    else:
        client.update_work_pool(pool.name, WorkPoolUpdate(**{field: pool.fields[field] for field in change.fields}))


def _limit(client: SyncPrefectClient, change: Change, slots: int) -> None:
    if change.action == "create":
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=change.name, limit=slots))
    else:
        client.update_global_concurrency_limit(change.name, GlobalConcurrencyLimitUpdate(limit=slots, active=True))


def _deployment(client: SyncPrefectClient, change: Change, deployment: Deployment, observed: Observed) -> None:
    if change.action == "create":
        flow_id = client.create_flow_from_name(deployment.flow)
        client.create_deployment(flow_id, deployment.name, **deployment.fields)
    else:
        differing = {field: deployment.fields[field] for field in change.fields}
        client.update_deployment(observed.deployments[change.name].id, DeploymentUpdate(**differing))


def _schedule(client: SyncPrefectClient, change: Change, deployment: Deployment) -> None:
    # Read again, because the deployment itself may have been made a moment ago.
    found = client.read_deployment_by_name(change.name)
    there = own_schedule(found)
    if there is None:
        if deployment.schedule is not None:
            created = DeploymentScheduleCreate(schedule=deployment.schedule, slug=SCHEDULE_SLUG)
            client.create_deployment_schedules(found.id, [created])
    elif deployment.schedule is None:
        client.delete_deployment_schedule(found.id, there.id)
    else:
        client.update_deployment_schedule(found.id, there.id, schedule=deployment.schedule)


def _automation(client: SyncPrefectClient, automation: AutomationCore, there: Automation | None) -> None:
    if there is None:
        client.create_automation(automation)
    else:
        client.update_automation(there.id, automation.model_copy(update={"enabled": there.enabled}))


def _variable(client: SyncPrefectClient, change: Change, desired: Desired) -> None:
    value, tags = desired.variables[change.name], list(desired.tags)
    if change.action == "create":
        client.create_variable(VariableCreate(name=change.name, value=value, tags=tags))
    else:
        client.update_variable(VariableUpdate(name=change.name, value=value, tags=tags))
