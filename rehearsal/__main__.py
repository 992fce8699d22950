"""`python -m rehearsal`: an environment's lifecycle by its deployments, on an emulated AWS and a real Kubernetes."""

import os
import signal
import sys
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
from rehearsal.cluster.builds import CannotBuild
from rehearsal.cluster.kubeconfig import UnusableKubeconfig
from rehearsal.cluster.processes import ClusterFailed
from rehearsal.deployment_runs import StageFailed
from rehearsal.environment_cluster import running_environment_cluster
from rehearsal.images import publish_stand_ins
from rehearsal.model_hub import running_model_hub, stand_ins
from rehearsal.prefect_server import running_prefect
from rehearsal.programs import REPOSITORY, ProgramFailed
from rehearsal.provider_mirror import cli_configuration
from rehearsal.report import Report
from rehearsal.stages import Rehearsal, Stage
from rehearsal.stand_in_charts import rehearsed_charts
from rehearsal.variable_files import copy_variable_file
from rehearsal.versions import versions
from rehearsal.volumes import volumes_of_simulated_nodes
from rehearsal.webhooks import webhooks_without_backend_away
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import DIRECTORY_VARIABLE, load_environment
from tasks.helm.releases_file import InvalidReleases, load_releases, releases_file
from tasks.weights.hub import ENDPOINT_VARIABLE

ALL = ",".join(Stage)
FAILURES = (StageFailed, ProgramFailed, ClusterFailed, CannotBuild, UnusableKubeconfig, InvalidReleases)
ENDED_BY_SIGNAL = 128


def rehearse(
    environment: Annotated[EnvironmentName, typer.Option(help="The environment whose lifecycle is rehearsed.")],
    stages: Annotated[str, typer.Option(help="Which stages, in this order.")] = ALL,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A cluster that is there already, such as one of kind."),
    ] = None,
) -> None:
    """Take an environment through its stages on an emulated AWS and a real control plane; say what that proves.

    Exits with 1 when a stage does not do what is expected of it, and with 2 when the input is wrong.
    """
    # As Ctrl-C does: whatever runs is ended on the way out.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(ENDED_BY_SIGNAL + number))
    with explained(FAILURES):
        chosen = _stages(stages)
        settings = load_environment(environment)
        if settings.laptop is not None:
            typer.echo(f"{environment.value!r} has nothing on AWS; `make up` runs all of it", err=True)
            raise typer.Exit(INPUT_WRONG)
        with tempfile.TemporaryDirectory(prefix=f"rehearsal-{os.getpid()}-") as directory:
            report = _rehearse(settings, chosen, kubeconfig, Path(directory))
        report.end()


def _rehearse(settings: Environment, stages: list[Stage], kubeconfig: Path | None, directory: Path) -> Report:
    account, region = settings.environment.account_id, settings.environment.region
    assert account is not None and region is not None  # noqa: S101, PT018 - the model guarantees both on AWS
    variable_file = copy_variable_file(settings.name, directory)
    charts = rehearsed_charts(directory, releases_file())
    report = Report(settings.name, charts, versions(settings, load_releases(releases_file())))
    with ExitStack() as stack:
        report.step("emulated AWS, Kubernetes cluster, Prefect server, workers and deployments")
        aws = stack.enter_context(running_emulated_aws(account, region))
        prepare_account(aws)
        cluster = stack.enter_context(running_environment_cluster(settings, aws, kubeconfig))
        report.webhooks = stack.enter_context(webhooks_without_backend_away(cluster))
        stack.enter_context(volumes_of_simulated_nodes(cluster))
        hub = stack.enter_context(running_model_hub(stand_ins(settings.models)))
        environment = {
            **aws.environment,
            ENDPOINT_VARIABLE: hub.address,
            **charts.environment,
            **cli_configuration(directory),
            DIRECTORY_VARIABLE: str(directory),
            "TF_CLI_ARGS_plan": plan_arguments(REPOSITORY / "infra"),
        }
        api_url = stack.enter_context(running_prefect(settings, environment, directory))
        stack.enter_context(temporary_settings({PREFECT_API_URL: api_url}))
        publish_stand_ins(settings)
        client = stack.enter_context(get_client(sync_client=True))
        rehearsal = Rehearsal(settings, aws, client, api_url, environment, variable_file, report)
        for stage in stages:
            rehearsal.run(stage)
    return report


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
