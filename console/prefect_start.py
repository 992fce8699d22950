"""The Prefect server with the environment's objects, and a worker: what `up` needs before a flow can run."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from tasks.environment import REPOSITORY
from tasks.laptop.machine import check_machine, require_fit
from tasks.laptop.served_directory import directory_parameters, directory_to_serve
from tasks.platforms import Component
from tasks.platforms.component_names import PREFECT_WORKER
from tasks.platforms.local_components import LocalComponents
from tasks.prefect_objects import Change, reconcile
from tasks.runs.under_way import mark_unattended_runs

PREFECT_TOML_MARK = "# Written by `make up`, so that the prefect command finds this checkout's server.\n"


def start_prefect(components: LocalComponents, given: str | None, console: Console) -> str | None:
    """Bring up the Prefect server with the environment's objects, and a worker.

    Returns the directory that the deployments read documents from in place of the environment's sources: `given`, or
    the one that was given earlier.

    Raises:
        tasks.laptop.served_directory.ServedDirectoryMissing,
        tasks.laptop.machine.MachineUnfit, tasks.platforms.ports.PortTaken, tasks.platforms.NotReady,
        tasks.platforms.processes.SupervisorUnavailable: as their names say.
    """
    platform, url = components.platform, components.prefect_api_url
    require_fit(check_machine(platform.data_directory))
    if moved := [f"{name} on {port}" for name, port in components.moved_ports.items()]:
        console.print(f"other processes hold ports of the variable file; instead: {', '.join(moved)}")
    _start(components, components.prefect_server(), "Prefect server", console)
    write_prefect_toml(REPOSITORY / "prefect.toml", url, console)
    with _timed(console, "Prefect objects"):
        directory = directory_to_serve(url, components.environment, given)
        reconcile(
            components.environment,
            url,
            dry_run=False,
            parameters=directory_parameters(directory),
            show=lambda changes: _show(changes, console),
        )
    _start(components, components.prefect_worker(), "Prefect worker", console)
    worker = platform.supervisor.state(PREFECT_WORKER)
    pool = components.environment.environment.prefect.work_pools.management
    for run in mark_unattended_runs(url, pool, worker.started if worker else None):
        console.print(f"flow run {run.name!r} was left behind by a stopped worker; marked as crashed")
    return directory


def write_prefect_toml(path: Path, api_url: str, console: Console) -> None:
    """Point the prefect command, when used in this directory, at `api_url`; a file that people wrote stays."""
    text = f'{PREFECT_TOML_MARK}[api]\nurl = "{api_url}"\n'
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before is not None and not before.startswith(PREFECT_TOML_MARK):
        console.print(f"{str(path)!r} is your own and stays; the server answers at {api_url}")
    elif before != text:
        path.write_text(text, encoding="utf-8")


def _start(components: LocalComponents, component: Component, what: str, console: Console) -> None:
    with _timed(console, what):
        components.platform.deploy(component)
        components.platform.wait_until_ready(component.name)


def _show(changes: Sequence[Change], console: Console) -> None:
    changed = [change for change in changes if change.action != "unchanged"]
    for change in changed if len(changed) < len(changes) else ():
        differs = f" ({', '.join(change.fields)})" if change.fields else ""
        console.print(f"  {change.action} {change.kind} {change.name}{differs}", style="dim", highlight=False)


@contextmanager
def _timed(console: Console, what: str) -> Generator[None]:
    started = time.monotonic()
    with console.status(f"{what} ..."):
        yield
    console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - started:.1f} s[/]", highlight=False)
