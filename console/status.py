"""`python -m console status`: one line per component."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from console.failures import explained
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.platforms import ComponentState
from tasks.platforms.component_names import WEB_SEARCH
from tasks.platforms.local import LocalPlatform, laptop_of


class Format(StrEnum):
    """How the list is printed."""

    TEXT = "text"
    JSON = "json"


def status(
    output: Annotated[Format, typer.Option("--format", help="text, or json for scripts.")] = Format.TEXT,
) -> None:
    """Show every component of the local environment: name, state and address."""
    with explained():
        environment = load_environment(EnvironmentName.LOCAL)
        states = LocalPlatform(laptop_of(environment)).list_components()
    if output is Format.JSON:
        typer.echo(json.dumps([record(state) for state in states], indent=2))
    elif states:
        Console().print(_table(states))
        if (missing := _missing_key(environment, states)) is not None:
            typer.echo(f"{WEB_SEARCH} is off: {missing} was not set when the platform came up")
    else:
        typer.echo("nothing is deployed; `make up` starts the platform")


def _missing_key(environment: Environment, states: list[ComponentState]) -> str | None:
    """The variable whose absence keeps the web search server from running, if anything does."""
    search = environment.agents.web_search
    if search is None or any(state.name == WEB_SEARCH for state in states):
        return None
    return search.key_variable


def record(state: ComponentState) -> dict[str, object]:
    """A component as JSON has it."""
    return {
        "name": state.name,
        "state": state.state,
        "address": state.address,
        "pid": state.pid,
        "uptime_seconds": _uptime_seconds(state),
    }


def _table(states: list[ComponentState]) -> Table:
    table = Table("component", "state", "address", "pid", "up for", box=None)
    for state in states:
        seconds = _uptime_seconds(state)
        uptime = "" if seconds is None else f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        style = "green" if state.state == "ready" else "red"
        pid = "" if state.pid is None else str(state.pid)
        table.add_row(state.name, f"[{style}]{state.state}[/]", state.address, pid, uptime)
    return table


def _uptime_seconds(state: ComponentState) -> int | None:
    return None if state.started is None else int((datetime.now(UTC) - state.started).total_seconds())
