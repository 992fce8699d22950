"""`python -m console down`: stops what `up` started, and nothing else."""

import typer

from console.failures import explained
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.platforms import UnknownComponent
from tasks.platforms.component_names import PREFECT_SERVER
from tasks.platforms.local import LocalPlatform, laptop_of
from tasks.runs.under_way import cancel_flow_runs

CANCEL_SECONDS = 8


def down() -> None:
    """Cancel the flow runs that are under way, then stop all components. Data and models stay."""
    with explained():
        stop_environment(load_environment(EnvironmentName.LOCAL))


def stop_environment(environment: Environment) -> None:
    """Stop all processes of the local `environment`, flow runs first: a stopped worker leaves its run Running.

    Raises:
        httpx.HTTPStatusError: the Prefect server refuses to cancel a run.
    """
    platform = LocalPlatform(laptop_of(environment))
    try:
        runs = cancel_flow_runs(f"{platform.address(PREFECT_SERVER)}/api", CANCEL_SECONDS)
    except UnknownComponent:
        runs = []
    for run in runs:
        typer.echo(f"cancelled flow run {run.name!r}")
    stopped = platform.stop()
    typer.echo(f"stopped {len(stopped)} processes" if stopped else "nothing was running")
