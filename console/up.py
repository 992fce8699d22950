"""`python -m console up`: the local platform from nothing to a cited answer."""

from pathlib import Path
from typing import Annotated

import typer
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings
from rich.console import Console

from console.failures import INTERRUPTED, WORK_FAILED, explained
from console.lifecycle_run import explain_failure, follow
from console.lifecycle_summary import print_summary
from console.prefect_start import start_prefect
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.file_lock import file_lock
from tasks.knowledge.sources import is_own_directory
from tasks.laptop.data_directory import lifecycle_summary_file
from tasks.laptop.machine import MachineUnfit
from tasks.laptop.served_directory import ServedDirectoryMissing, documents_served, forget_directory
from tasks.platforms.local_components import LocalComponents
from tasks.platforms.ports import PortTaken
from tasks.platforms.processes import SupervisorUnavailable
from tasks.prefect_objects import InvalidPrefectFile, PrefectUnreachable, WorkPoolTypeDiffers
from tasks.runs.lifecycle_summary import read_summary
from tasks.runs.watched import run_under_way, start_run

FAILURES = (
    MachineUnfit,
    PortTaken,
    PrefectUnreachable,
    ServedDirectoryMissing,
    SupervisorUnavailable,
    WorkPoolTypeDiffers,
)
LOCK = "up.lock"


def up(
    knowledge: Annotated[
        Path | None,
        typer.Option(
            envvar="KNOWLEDGE", exists=True, file_okay=False, help="A directory of your own files to answer from."
        ),
    ] = None,
) -> None:
    """Start the local platform, run the whole lifecycle, and print a cited answer. Run again, it converges."""
    console = Console()
    with explained(FAILURES, (InvalidPrefectFile,)):
        environment = load_environment(EnvironmentName.LOCAL)
        directory = None if knowledge is None else str(knowledge.resolve())
        components = LocalComponents.of(environment)
        completed = _run_lifecycle(components, directory, console)
        if completed:
            print_summary(read_summary(lifecycle_summary_file(environment)), components, console)
    if not completed:
        raise typer.Exit(WORK_FAILED)


def _run_lifecycle(components: LocalComponents, given: str | None, console: Console) -> bool:
    """Start Prefect and a lifecycle run, or join the one that is under way; whether it completed.

    `given` is the directory that the command names; without it, the one that an earlier command named is served.
    """
    name = f"lifecycle/{components.environment.name.value}"
    # Two that start at the same time would deploy and run everything twice.
    with file_lock(components.platform.data_directory / LOCK):
        directory = start_prefect(components, given, console)
        served = documents_served(components.environment.knowledge, directory)
        console.print(served, highlight=False, markup=False, soft_wrap=True)
        settings = temporary_settings({PREFECT_API_URL: components.prefect_api_url})
        with settings, get_client(sync_client=True) as client:
            run = _join(client, name, directory, console) or start_run(client, name)
    with temporary_settings({PREFECT_API_URL: components.prefect_api_url}), get_client(sync_client=True) as client:
        page = f"{components.prefect_api_url.removesuffix('/api')}/runs/flow-run/{run.id}"
        console.print(f"\n[bold]{name}[/] as {run.name!r}, {page}\n", highlight=False, soft_wrap=True)
        try:
            watched = follow(client, run, console)
        except KeyboardInterrupt as interruption:
            console.print(
                f"\nThe run {run.name!r} goes on. `make up` follows it again, `make down` stops everything, and\n"
                f"`.venv/bin/prefect flow-run cancel {run.id}` cancels it.",
                markup=False,
                highlight=False,
            )
            raise typer.Exit(INTERRUPTED) from interruption
        if watched.run.state_type != StateType.COMPLETED:
            explain_failure(watched, console)
            return False
    if directory is not None and is_own_directory(components.environment.knowledge, directory):
        with file_lock(components.platform.data_directory / LOCK):
            forget_directory(components.prefect_api_url, components.environment, directory)
    return True


def _join(client: SyncPrefectClient, name: str, directory: str | None, console: Console) -> FlowRun | None:
    """The run of the lifecycle that is under way for the same documents; one for others is waited for."""
    while (run := run_under_way(client, name)) is not None:
        if run.parameters.get("directory") == directory:
            console.print(f"the run {run.name!r} is under way already: this joins it", highlight=False)
            return run
        console.print(f"the run {run.name!r} is under way for other documents: this waits for it", highlight=False)
        follow(client, run, console)
    return None
