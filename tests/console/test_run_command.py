"""`python -m console run` against a real Prefect server; what a worker would do is played."""

from pathlib import Path

import pytest
import typer
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun
from prefect.states import Failed
from typer.testing import CliRunner, Result

from console.run import run
from tests.played_worker import played_worker, stage_runs

pytestmark = pytest.mark.prefect_server

application = typer.Typer()
application.command()(run)
KEY = "github-17"
PAGE = f"# dev: 1 to add\n\nSHA-256 of the plan file: `{'ab' * 32}`\n"


@flow(name="provision")
def provision(environment: str, mode: str = "approve") -> None:
    """What is deployed."""


@pytest.fixture
def deployed(prefect_client: SyncPrefectClient) -> SyncPrefectClient:
    flow_id = prefect_client.create_flow(provision)
    prefect_client.create_deployment(
        flow_id,
        "dev",
        tags=["environment:dev"],
        parameters={"environment": "dev"},
        parameter_openapi_schema={"type": "object", "properties": {"mode": {"enum": ["approve", "plan"]}}},
        enforce_parameter_schema=True,
    )
    return prefect_client


@pytest.fixture
def command(prefect_server: str) -> list[str]:
    return ["provision", "--environment", "dev", "--key", KEY, "--api-url", prefect_server, "--started-by", "alice"]


def invoked(command: list[str], *more: str) -> Result:
    return CliRunner().invoke(application, [*command, *more])


def runs(client: SyncPrefectClient) -> list[FlowRun]:
    return stage_runs(client, KEY)


def test_a_failed_run_is_the_exit_code_and_the_same_key_starts_another(
    deployed: SyncPrefectClient, command: list[str]
) -> None:
    with played_worker({"provision": Failed(message="no credentials")}, KEY):
        failed = invoked(command, "--parameters", '{"mode": "plan"}')
    assert failed.exit_code == 1, failed.output
    assert "provision failed: no credentials" in failed.output

    with played_worker(in_key=KEY):
        done = invoked(command, "--parameters", '{"mode": "plan"}')
    assert done.exit_code == 0, done.output

    first, second = runs(deployed)
    assert [first.state_name, second.state_name] == ["Failed", "Completed"]
    assert second.parameters == {"environment": "dev", "mode": "plan"}
    assert set(second.tags) == {"environment:dev", "started-by:alice"}


def test_a_completed_run_is_not_run_again_and_its_plan_is_handed_on(
    deployed: SyncPrefectClient, command: list[str], tmp_path: Path
) -> None:
    outputs = tmp_path / "outputs"
    with played_worker(in_key=KEY):
        assert invoked(command, "--outputs", str(outputs)).exit_code == 0
    (only,) = runs(deployed)
    deployed.create_artifact(ArtifactCreate(key="dev-provision-plan", type="markdown", data=PAGE, flow_run_id=only.id))

    again = invoked(command, "--outputs", str(outputs))

    assert again.exit_code == 0, again.output
    assert [each.id for each in runs(deployed)] == [only.id]
    assert outputs.read_text(encoding="utf-8").splitlines() == [
        f"run={only.id}",
        "plan=",
        f"run={only.id}",
        f"plan={'ab' * 32}",
    ]


def test_a_run_that_does_not_end_in_time_goes_on_and_is_joined(deployed: SyncPrefectClient, command: list[str]) -> None:
    waited = invoked(command, "--within-seconds", "1")
    assert waited.exit_code == 1
    assert "after 1 s and goes on" in waited.output

    with played_worker(in_key=KEY):
        assert invoked(command).exit_code == 0
    assert len(runs(deployed)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--parameters", '{"mode": "sometimes"}'), "refuses {'mode': 'sometimes'}"),
        (("--parameters", "mode=plan"), "is not JSON"),
        (("--parameters", '["plan"]'), "must be a JSON object"),
        (("--environment", "prod"), "has no deployment 'provision/prod'"),
    ],
)
def test_wrong_input_exits_with_2_and_nothing_runs(
    deployed: SyncPrefectClient, command: list[str], options: tuple[str, ...], said: str
) -> None:
    outcome = invoked(command, *options)
    assert outcome.exit_code == 2, outcome.output
    assert said in " ".join(outcome.output.replace("│", " ").split())
    assert runs(deployed) == []
