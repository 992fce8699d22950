"""The job that a worker of the pool `<environment>-cluster` would make, by the worker's own code."""

import asyncio
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration


def prepared_job(client: SyncPrefectClient, deployment: str) -> dict[str, Any]:
    """The manifest for a run of `deployment`, from the template that the server has for its pool."""
    deployed = client.read_deployment_by_name(deployment)
    run = client.create_flow_run_from_deployment(deployed.id)
    assert deployed.work_pool_name is not None
    pool = client.read_work_pool(deployed.work_pool_name)

    async def configure() -> KubernetesWorkerJobConfiguration:
        async with get_client() as asynchronous:
            return await KubernetesWorkerJobConfiguration.from_template_and_values(
                pool.base_job_template, deployed.job_variables, client=asynchronous
            )

    configuration = asyncio.run(configure())
    configuration.prepare_for_flow_run(run, deployed, client.read_flow(run.flow_id), pool, "worker")
    return configuration.job_manifest
