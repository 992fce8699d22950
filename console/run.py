"""`python -m console run`: one run of a deployment, asked for once and watched to its end, as CI does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings
from rich.console import Console

from console.failures import WORK_FAILED, explained
from console.lifecycle_run import explain_failure, follow
from console.prefect_address import own_api_url
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.plan_review.waiting import plan_to_apply
from tasks.runs.origin import process_user
from tasks.runs.requested import RunRefused, request_run


def run(
    flow: Annotated[str, typer.Argument(help="The flow, such as knowledge.", show_default=False)],
    environment: Annotated[EnvironmentName, typer.Option(help="The environment that it runs for.")],
    key: Annotated[str, typer.Option(help="What is asked for: the same key is never run twice.")],
    parameters: Annotated[str, typer.Option(help="Parameters of the flow as a JSON object.")] = "{}",
    started_by: Annotated[str, typer.Option(help="Who asks; the run carries it as a tag.")] = "",
    within_seconds: Annotated[float, typer.Option(min=1, help="How long the run is watched.")] = 3600,
    outputs: Annotated[
        Path | None,
        typer.Option(help="A file to which run=<id> and plan=<digest> are added, as GitHub reads it."),
    ] = None,
    api_url: Annotated[str | None, typer.Option(help="The Prefect API, if not the environment's own.")] = None,
) -> None:
    """Run a deployment, and watch it; a run of the same key that is under way is joined, a completed one is enough.

    Exits with 1 when the run fails or does not end in time, and with 2 when there is no such deployment or parameter.
    """
    console = Console()
    with explained((), (RunRefused,)):
        asked = _object(parameters)
        url = api_url or own_api_url(load_environment(environment))
        with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
            name = f"{flow}/{environment.value}"
            started = request_run(client, name, asked, key, started_by or process_user())
            page = f"{url.removesuffix('/api')}/runs/flow-run/{started.id}"
            console.print(f"{name} as {started.name!r}, {page}", markup=False, highlight=False, soft_wrap=True)
            completed = _watch(client, started, within_seconds, console)
            if outputs is not None:
                _write(outputs, client, environment, started)
    if not completed:
        raise typer.Exit(WORK_FAILED)


def _object(parameters: str) -> Mapping[str, Any]:
    try:
        given = json.loads(parameters)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"parameters = {parameters!r} is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise typer.BadParameter(f'parameters = {parameters!r} must be a JSON object, such as \'{{"mode": "plan"}}\'')
    return given


def _watch(client: SyncPrefectClient, started: FlowRun, within_seconds: float, console: Console) -> bool:
    """Whether the run completed."""
    watched = follow(client, started, console, own_lines=True, within_seconds=within_seconds)
    if watched.run.state_type == StateType.COMPLETED:
        console.print(f"{started.name!r} completed", markup=False, highlight=False)
        return True
    if watched.over:
        explain_failure(watched, console)
    else:
        state = watched.run.state.name if watched.run.state else "unknown"
        console.print(
            f"{started.name!r} is {state} after {within_seconds:.0f} s and goes on; the same key joins it again",
            style="red",
            markup=False,
            highlight=False,
        )
    return False


def _write(file: Path, client: SyncPrefectClient, environment: EnvironmentName, started: FlowRun) -> None:
    plan = plan_to_apply(client, environment, started.id)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(f"run={started.id}\nplan={plan or ''}\n")
