"""The work pool in the cluster on a real Prefect server: its job template is that of the repository, and stays it."""

import copy

import pytest
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from pydantic import SecretStr

from tasks.drift.prefect_objects import compare_prefect_objects
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prefect_objects import Change, reconcile
from tasks.released_images import images_block_name, publish_images
from tests.tasks.prefect_objects.cluster_pool import prepared_job

pytestmark = pytest.mark.prefect_server

POOL = "dev-cluster"


def image(digit: str) -> str:
    return f"111122223333.dkr.ecr.us-east-1.amazonaws.com/agentic-eks-dev/flows@sha256:{digit * 64}"


@pytest.fixture
def dev() -> Environment:
    return load_environment(EnvironmentName.DEV)


@pytest.fixture
def deployed(prefect_client: SyncPrefectClient, prefect_server: str, dev: Environment) -> SyncPrefectClient:
    reconcile(dev, prefect_server, dry_run=False)
    return prefect_client


def changed(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.action != "unchanged"]


def test_what_somebody_changed_in_the_ui_is_drift_and_is_put_back(
    deployed: SyncPrefectClient, prefect_server: str, dev: Environment
) -> None:
    assert changed(reconcile(dev, prefect_server, dry_run=False)) == []
    ours = deployed.read_work_pool(POOL).base_job_template
    by_hand = copy.deepcopy(ours)
    by_hand["variables"]["properties"]["image"]["default"] = "docker.io/prefecthq/prefect:3-latest"
    deployed.update_work_pool(POOL, WorkPoolUpdate(base_job_template=by_hand))

    report = compare_prefect_objects.fn(dev, {})

    assert report.rows == (
        {
            "what": f"work pool {POOL}",
            "wanted": "as in the repository",
            "found": "differs in base_job_template",
            "drift": True,
        },
    )
    assert changed(reconcile(dev, prefect_server, dry_run=False)) == [
        Change("work pool", POOL, "update", ("base_job_template",))
    ]
    assert deployed.read_work_pool(POOL).base_job_template == ours
    assert compare_prefect_objects.fn(dev, {}).rows == ()


def test_two_environments_on_one_server_have_pools_of_their_own(
    deployed: SyncPrefectClient, prefect_server: str, dev: Environment
) -> None:
    prod = load_environment(EnvironmentName.PROD)
    assert prod.environment.prefect.notifications is not None
    Webhook(url=SecretStr("http://127.0.0.1:9/")).save(prod.environment.prefect.notifications, overwrite=True)
    reconcile(prod, prefect_server, dry_run=False)

    assert {pool.name for pool in deployed.read_work_pools()} == {"management", POOL, "prod-cluster"}
    # A worker takes what its pool has, whichever cluster it is in.
    assert deployed.read_deployment_by_name("knowledge/dev").work_pool_name == POOL
    assert deployed.read_deployment_by_name("knowledge/prod").work_pool_name == "prod-cluster"
    assert changed(reconcile(dev, prefect_server, dry_run=True)) == []


def test_a_run_is_a_pod_of_the_image_that_is_released_when_it_starts(deployed: SyncPrefectClient) -> None:
    publish_images(EnvironmentName.DEV, {"flows": image("a")})
    publish_images(EnvironmentName.DEV, {"flows": image("b")})

    job = prepared_job(deployed, "knowledge/dev")

    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["image"] == image("b")
    assert container["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert container["resources"]["limits"]["memory"] == "2Gi"
    assert "prefect flow-run execute" in " ".join(container["args"])
    assert job["metadata"]["namespace"] == "prefect"
    assert job["spec"]["ttlSecondsAfterFinished"] == 86400
    pod = job["spec"]["template"]
    assert pod["spec"]["serviceAccountName"] == "prefect-worker"
    assert pod["spec"]["nodeSelector"]["kubernetes.io/arch"] == "arm64"
    assert pod["metadata"]["annotations"] == {"karpenter.sh/do-not-disrupt": "true"}


def test_no_run_starts_before_an_image_is_released(deployed: SyncPrefectClient) -> None:
    for document in deployed.read_block_documents_by_type("released-images"):
        deployed.delete_block_document(document.id)

    with pytest.raises(ObjectNotFound, match=images_block_name(EnvironmentName.DEV)):
        prepared_job(deployed, "knowledge/dev")
