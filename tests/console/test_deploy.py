import pytest
import typer
from prefect.client.orchestration import SyncPrefectClient
from typer.testing import CliRunner

from console.deploy import deploy
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.laptop.served_directory import FLOWS, directory_parameters
from tasks.prefect_objects import reconcile

application = typer.Typer()
application.command()(deploy)


@pytest.mark.prefect_server
def test_dry_run_then_deploy(prefect_server: str, prefect_client: SyncPrefectClient) -> None:
    command = ["--environment", "local", "--api-url", prefect_server]
    shown = CliRunner().invoke(application, [*command, "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert prefect_client.read_deployments() == []

    done = CliRunner().invoke(application, command)

    assert done.exit_code == 0, done.output
    assert prefect_client.read_deployment_by_name("lifecycle/local").name == "local"


@pytest.mark.prefect_server
def test_deploy_keeps_the_directory_that_up_was_given(prefect_server: str, prefect_client: SyncPrefectClient) -> None:
    environment = load_environment(EnvironmentName.LOCAL)
    reconcile(environment, prefect_server, dry_run=False, parameters=directory_parameters("/my/files"))

    done = CliRunner().invoke(application, ["--environment", "local", "--api-url", prefect_server])

    assert done.exit_code == 0, done.output
    served = {flow: prefect_client.read_deployment_by_name(f"{flow}/local").parameters["directory"] for flow in FLOWS}
    assert served == dict.fromkeys(("lifecycle", "knowledge", "drift"), "/my/files")


def test_unknown_environment_exits_with_2() -> None:
    assert CliRunner().invoke(application, ["--environment", "nowhere"]).exit_code == 2


def test_server_that_does_not_answer_exits_with_1() -> None:
    outcome = CliRunner().invoke(application, ["--environment", "local", "--api-url", "http://127.0.0.1:9/api"])
    assert outcome.exit_code == 1
    assert "no Prefect server answers at 'http://127.0.0.1:9/api'" in outcome.output
