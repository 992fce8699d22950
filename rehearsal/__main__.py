"""`python -m rehearsal`: an environment's lifecycle by its own deployments, on an emulated AWS."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from console.failures import INPUT_WRONG, explained
from rehearsal.account import prepare_account
from rehearsal.aws import running_emulated_aws
from rehearsal.aws.not_creatable import plan_arguments
from rehearsal.deployment_runs import StageFailed
from rehearsal.prefect_server import running_prefect
from rehearsal.programs import REPOSITORY, ProgramFailed
from rehearsal.provider_mirror import cli_configuration
from rehearsal.report import Report
from rehearsal.stages import Rehearsal, Stage
from rehearsal.variable_files import copy_variable_file
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import DIRECTORY_VARIABLE, load_environment

ALL = ",".join(Stage)


def rehearse(
    environment: Annotated[EnvironmentName, typer.Option(help="The environment whose lifecycle is rehearsed.")],
    stages: Annotated[str, typer.Option(help="Which stages, in this order.")] = ALL,
) -> None:
    """Take an environment through its stages on an emulated AWS, and say what that proves.

    Exits with 1 when a stage does not do what is expected of it, and with 2 when the input is wrong.
    """
    with explained((StageFailed, ProgramFailed)):
        chosen = _stages(stages)
        settings = load_environment(environment)
        if settings.laptop is not None:
            typer.echo(f"{environment.value!r} has nothing on AWS; `make up` runs all of it", err=True)
            raise typer.Exit(INPUT_WRONG)
        report = Report(settings.name)
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as directory:
            _rehearse(settings, chosen, Path(directory), report)
        report.end()


def _rehearse(settings: Environment, stages: list[Stage], directory: Path, report: Report) -> None:
    account, region = settings.environment.account_id, settings.environment.region
    assert account is not None and region is not None  # noqa: S101, PT018 - the model guarantees both on AWS
    variable_file = copy_variable_file(settings.name, directory)
    with ExitStack() as stack:
        report.step("emulated AWS, Prefect server, worker and deployments")
        aws = stack.enter_context(running_emulated_aws(account, region))
        prepare_account(aws)
        environment = {
            **aws.environment,
            **cli_configuration(directory),
            DIRECTORY_VARIABLE: str(directory),
            "TF_CLI_ARGS_plan": plan_arguments(REPOSITORY / "infra"),
        }
        api_url = stack.enter_context(running_prefect(settings, environment, directory))
        stack.enter_context(temporary_settings({PREFECT_API_URL: api_url}))
        client = stack.enter_context(get_client(sync_client=True))
        rehearsal = Rehearsal(settings, aws, client, api_url, environment, variable_file, report)
        for stage in stages:
            rehearsal.run(stage)


def _stages(text: str) -> list[Stage]:
    try:
        chosen = [Stage(name.strip()) for name in text.split(",")]
    except ValueError as error:
        typer.echo(f"stages = {text!r}: {error}; there are {ALL}", err=True)
        raise typer.Exit(INPUT_WRONG) from error
    if chosen != [stage for stage in Stage if stage in chosen] or chosen[0] is not Stage.PROVISION:
        typer.echo(f"stages = {text!r} must begin with provision, each once, in the order {ALL}", err=True)
        raise typer.Exit(INPUT_WRONG)
    return chosen


if __name__ == "__main__":
    typer.run(rehearse)
