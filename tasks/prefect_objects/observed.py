"""What a Prefect server has of one environment, as far as it can differ from what is desired."""

from collections.abc import Mapping
from dataclasses import dataclass

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import BlockDocument, Variable, WorkPool
from prefect.client.schemas.responses import DeploymentResponse, GlobalConcurrencyLimitResponse
from prefect.events.schemas.automations import Automation
from prefect.exceptions import ObjectNotFound

from tasks.prefect_objects.blocks import observed_blocks
from tasks.prefect_objects.desired import Desired


@dataclass(frozen=True)
class Observed:
    """The objects found, by name; deployments by `<flow>/<name>`.

    `deployments` holds those that are desired and those that carry our tags, and no other; likewise `automations` and
    `variables`. `blocks` holds those of our types whose names say that they are the environment's.
    """

    work_pools: Mapping[str, WorkPool]
    limits: Mapping[str, GlobalConcurrencyLimitResponse]
    deployments: Mapping[str, DeploymentResponse]
    automations: Mapping[str, Automation]
    variables: Mapping[str, Variable]
    blocks: Mapping[str, BlockDocument]


def observed_objects(client: SyncPrefectClient, desired: Desired) -> Observed:
    """Read from the server what `desired` names, and what earlier deploys of the environment made there."""
    work_pools: dict[str, WorkPool] = {}
    for pool in desired.work_pools:
        try:
            work_pools[pool.name] = client.read_work_pool(pool.name)
        except ObjectNotFound:
            continue
    limits: dict[str, GlobalConcurrencyLimitResponse] = {}
    for name in desired.limits:
        try:
            limits[name] = client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            continue
    return Observed(
        work_pools=work_pools,
        limits=limits,
        deployments=_deployments(client, desired),
        automations=_automations(client, desired),
        variables=_variables(client, desired),
        blocks=observed_blocks(client, desired.prefix),
    )


def _deployments(client: SyncPrefectClient, desired: Desired) -> dict[str, DeploymentResponse]:
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=list(desired.tags)))
    found = {
        f"{client.read_flow(deployment.flow_id).name}/{deployment.name}": deployment
        for deployment in client.read_deployments(deployment_filter=ours)
    }
    for deployment in desired.deployments:
        if deployment.full_name not in found:
            try:
                found[deployment.full_name] = client.read_deployment_by_name(deployment.full_name)
            except ObjectNotFound:
                continue
    return found


def _automations(client: SyncPrefectClient, desired: Desired) -> dict[str, Automation]:
    wanted, tags = {automation.name for automation in desired.automations}, set(desired.tags)
    return {
        automation.name: automation
        for automation in client.read_automations()
        if automation.name in wanted or tags <= set(automation.tags)
    }


def _variables(client: SyncPrefectClient, desired: Desired) -> dict[str, Variable]:
    return {
        variable.name: variable
        for variable in client.read_variables()
        if variable.name in desired.variables or set(desired.tags) <= set(variable.tags)
    }
