"""The pods of the work pool in the cluster, before the real admission of the pod security standards."""

from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect_kubernetes.worker import KubernetesWorker

from rehearsal.cluster import Cluster
from rehearsal.cluster.api import KubernetesApi, Refused
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import reconcile
from tasks.released_images import publish_images
from tests.tasks.prefect_objects.cluster_pool import prepared_job

pytestmark = [pytest.mark.kubernetes, pytest.mark.prefect_server]

NAMESPACE = "cluster-pool"
# What is asked for is admitted or refused, and not made.
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs?dryRun=All"


@pytest.fixture
def api(kubernetes_cluster: Cluster) -> Iterator[KubernetesApi]:
    """A cluster with a namespace that is held to the same standard as the worker's."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    named = {"name": "prefect-worker", "namespace": NAMESPACE}
    kubernetes_cluster.api.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named},
    )
    yield kubernetes_cluster.api
    kubernetes_cluster.api.delete(f"/api/v1/namespaces/{NAMESPACE}")


@pytest.fixture
def deployed(prefect_client: SyncPrefectClient, prefect_server: str) -> SyncPrefectClient:
    reconcile(load_environment(EnvironmentName.DEV), prefect_server, dry_run=False)
    registry = "111122223333.dkr.ecr.us-east-1.amazonaws.com/agentic-eks-dev"
    publish_images(EnvironmentName.DEV, {"flows": f"{registry}/flows@sha256:{'a' * 64}"})
    return prefect_client


def placed(job: dict[str, Any]) -> dict[str, Any]:
    return {**job, "metadata": {**job["metadata"], "namespace": NAMESPACE}}


def pod_of(job: dict[str, Any]) -> dict[str, Any]:
    template = job["spec"]["template"]
    metadata = {**template["metadata"], "name": "run", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def test_a_pod_of_the_pool_is_admitted_and_one_of_prefects_own_template_is_not(
    api: KubernetesApi, deployed: SyncPrefectClient
) -> None:
    job = prepared_job(deployed, "knowledge/dev")
    assert api.create(JOBS, placed(job))["spec"]["ttlSecondsAfterFinished"] == 86400
    admitted = api.create(PODS, pod_of(job))
    assert admitted["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True

    own = KubernetesWorker.get_default_base_job_template()
    deployed.update_work_pool("dev-cluster", WorkPoolUpdate(base_job_template=own))
    with pytest.raises(Refused, match="violates PodSecurity"):
        api.create(PODS, pod_of(prepared_job(deployed, "knowledge/dev")))
