"""Variables and blocks on a real Prefect server: those of the repository are there, and people's own stay."""

from datetime import UTC, datetime

import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect_aws import AwsCredentials, S3Bucket
from pydantic import SecretStr

from tasks.agent_service.cluster_release import AgentsRelease
from tasks.drift.prefect_objects import compare_prefect_objects
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import EnvironmentOutputs, block_name
from tasks.prefect_objects import Change, reconcile
from tests.prefect_server import delete_values

pytestmark = pytest.mark.prefect_server

RESULTS = "agentic-eks-dev-results"
ON_CALL = "agentic-eks-dev-on-call"
RELEASES = ("agentic-eks-dev-agents-release", "agentic-eks-dev-agents-release-0123456789ab")


@pytest.fixture
def clean(prefect_client: SyncPrefectClient) -> SyncPrefectClient:
    """The server is that of the whole file, which keeps variables and blocks."""
    delete_values(prefect_client)
    return prefect_client


def dev(**variables: str) -> Environment:
    settings = load_environment(EnvironmentName.DEV)
    prefect = settings.environment.prefect.model_copy(update={"variables": variables})
    return settings.model_copy(update={"environment": settings.environment.model_copy(update={"prefect": prefect})})


def changed(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.kind in ("variable", "block") and change.action != "unchanged"]


def drifted(environment: Environment) -> set[tuple[object, object]]:
    return {(row["what"], row["found"]) for row in compare_prefect_objects.fn(environment, {}).rows}


def test_variables_and_blocks_are_made_put_back_and_taken_away(prefect_server: str, clean: SyncPrefectClient) -> None:
    wanted = dev(**{"on-call": "platform"})
    created = [Change("variable", ON_CALL, "create"), Change("block", RESULTS, "create")]
    assert changed(reconcile(wanted, prefect_server, dry_run=False)) == created
    assert changed(reconcile(wanted, prefect_server, dry_run=False)) == []
    ours = S3Bucket.load(RESULTS)

    clean.update_variable(VariableUpdate(name=ON_CALL, value="nobody"))
    S3Bucket(bucket_name="elsewhere", credentials=AwsCredentials(region_name="us-east-1")).save(RESULTS, overwrite=True)
    assert drifted(wanted) == {
        (f"variable {ON_CALL}", "differs in value"),
        (f"block {RESULTS}", "differs in bucket_name, bucket_folder"),
    }
    reconcile(wanted, prefect_server, dry_run=False)
    assert drifted(wanted) == set()
    variable = clean.read_variable_by_name(ON_CALL)
    assert variable is not None
    assert variable.value == "platform"
    assert S3Bucket.load(RESULTS) == ours

    assert changed(reconcile(dev(), prefect_server, dry_run=False)) == [Change("variable", ON_CALL, "delete")]


def test_what_is_the_projects_and_in_no_file_is_drift_and_what_is_somebodys_stays(
    prefect_server: str, clean: SyncPrefectClient
) -> None:
    wanted = dev()
    reconcile(wanted, prefect_server, dry_run=False)
    # What a flow recorded, a variable and blocks of people's own, and one of another environment.
    EnvironmentOutputs(values={}).save(block_name(EnvironmentName.DEV))
    for name in RELEASES:
        AgentsRelease(image="i", settings="{}", since=datetime.now(UTC), commit="c", released_by="r").save(name)
    clean.create_variable(VariableCreate(name="agentic-eks-dev-mine", value="kept"))
    Secret(value=SecretStr("kept")).save("agentic-eks-dev-mine")
    storage = S3Bucket(bucket_name="kept", credentials=AwsCredentials(region_name="us-east-1"))
    for name in ("mine", "agentic-eks-prod-results"):
        storage.save(name)
    assert drifted(wanted) == set()

    storage.save("agentic-eks-dev-plans")
    tags = ["managed-by:agentic-eks", "environment:dev"]
    clean.create_variable(VariableCreate(name="left", value="behind", tags=tags))
    assert drifted(wanted) == {
        ("variable left", "is in the repository no longer"),
        ("block agentic-eks-dev-plans", "is in the repository no longer"),
    }
    reconcile(wanted, prefect_server, dry_run=False)
    assert drifted(wanted) == set()
    assert [variable.name for variable in clean.read_variables()] == ["agentic-eks-dev-mine"]
    named = {document.name for document in clean.read_block_documents() if not document.is_anonymous}
    assert named == {
        "agentic-eks-dev-mine",
        "agentic-eks-dev-outputs",
        *RELEASES,
        RESULTS,
        "mine",
        "agentic-eks-prod-results",
    }
