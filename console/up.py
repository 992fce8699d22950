"""`python -m console up`: the local platform from nothing to a cited answer."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from console.failures import WORK_FAILED, explained
from console.lifecycle_summary import print_summary
from tasks.data_directory import lifecycle_summary_file
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.flow_runs import mark_unattended_runs
from tasks.lifecycle_summary import read_summary
from tasks.machine import MachineUnfit, check_machine, require_fit
from tasks.platforms.component_names import PREFECT_WORKER
from tasks.platforms.local_components import LocalComponents
from tasks.ports import PortTaken
from tasks.prefect_objects import InvalidPrefectFile, PrefectUnreachable, WorkPoolTypeDiffers, reconcile
from tasks.processes import SupervisorUnavailable

FAILURES = (MachineUnfit, PortTaken, PrefectUnreachable, SupervisorUnavailable, WorkPoolTypeDiffers)
PREFECT_TOML_MARK = "# Written by `make up`, so that the prefect command finds this checkout's server.\n"


def up(
    knowledge: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="A directory of your own files to answer from.")
    ] = None,
) -> None:
    """Start the local platform, run the whole lifecycle, and print a cited answer. Run again, it converges."""
    console = Console()
    with explained(FAILURES, (InvalidPrefectFile,)):
        environment = load_environment(EnvironmentName.LOCAL)
        components = start_prefect(environment, console)
        code = run_lifecycle(components, knowledge)
        if code == 0:
            print_summary(read_summary(lifecycle_summary_file(environment)), components, console)
    if code != 0:
        typer.echo(
            f"the lifecycle failed; the end of its log:\n{components.platform.log_tail(PREFECT_WORKER)}", err=True
        )
        raise typer.Exit(WORK_FAILED)


def start_prefect(environment: Environment, console: Console) -> LocalComponents:
    """Bring up the Prefect server with the environment's objects, and a worker; returns the components.

    Raises:
        tasks.machine.MachineUnfit, tasks.ports.PortTaken, tasks.platforms.NotReady,
        tasks.processes.SupervisorUnavailable: as their names say.
    """
    components = LocalComponents.of(environment)
    platform = components.platform
    require_fit(check_machine(platform.data_directory))
    platform.supervisor.ensure_running()
    _report_moved_ports(components, console)
    with _timed(console, "Prefect server"):
        server = components.prefect_server()
        platform.deploy(server)
        platform.wait_until_ready(server.name)
    write_prefect_toml(REPOSITORY / "prefect.toml", components.prefect_api_url, console)
    with _timed(console, "Prefect objects"):
        reconcile(environment, components.prefect_api_url, dry_run=False)
    with _timed(console, "Prefect worker"):
        worker = components.prefect_worker()
        running = platform.supervisor.state(PREFECT_WORKER)
        if running is None or not running.alive:
            pool = environment.environment.prefect.work_pools.management
            for run in mark_unattended_runs(components.prefect_api_url, pool):
                console.print(f"flow run {run.name!r} was left behind by a stopped worker; marked as crashed")
        platform.deploy(worker)
        platform.wait_until_ready(worker.name)
    return components


def run_lifecycle(components: LocalComponents, knowledge: Path | None) -> int:
    """Run `lifecycle/local` on the worker, show its log, and return the exit code of the prefect command."""
    name = f"lifecycle/{components.environment.name.value}"
    command = [sys.executable, "-m", "prefect", "deployment", "run", name, "--watch"]
    if knowledge is not None:
        command += ["--param", f"directory={knowledge.resolve()}"]
    return subprocess.run(
        command, env=os.environ | components.prefect_variables, cwd=REPOSITORY, check=False
    ).returncode


def write_prefect_toml(path: Path, api_url: str, console: Console) -> None:
    """Point the prefect command, when used in this directory, at `api_url`; a file that people wrote stays."""
    text = f'{PREFECT_TOML_MARK}[api]\nurl = "{api_url}"\n'
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before is not None and not before.startswith(PREFECT_TOML_MARK):
        console.print(f"{str(path)!r} is your own and stays; the server answers at {api_url}")
    elif before != text:
        path.write_text(text, encoding="utf-8")


def _report_moved_ports(components: LocalComponents, console: Console) -> None:
    for name, port in components.moved_ports.items():
        console.print(f"the port of {name!r} is taken by another process; it listens on {port} instead")


@contextmanager
def _timed(console: Console, what: str) -> Generator[None]:
    started = time.monotonic()
    with console.status(f"{what} ..."):
        yield
    console.print(f"{what} ready in {time.monotonic() - started:.1f} s")
