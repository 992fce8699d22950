"""`python -m console logs`: what the components wrote."""

import os
from typing import Annotated

import typer

from console.failures import explained
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.platforms import UnknownComponent
from tasks.platforms.local import LocalPlatform, laptop_of
from tasks.platforms.supervisor_files import SLOTS, slot_name


def logs(
    component: Annotated[str | None, typer.Argument(help="One component; all of them when left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is written.")] = False,
    lines: Annotated[int, typer.Option(min=1, help="How many lines of each to begin with.")] = 50,
) -> None:
    """Print the end of the components' logs."""
    with explained():
        platform = LocalPlatform(laptop_of(load_environment(EnvironmentName.LOCAL)))
        found = sorted(path for path in platform.logs.glob("*.log"))
        if component is not None:
            processes = (component, *(slot_name(component, slot) for slot in SLOTS))
            found = [path for path in found if path.stem in processes]
        if not found:
            known = sorted(path.stem for path in platform.logs.glob("*.log"))
            raise UnknownComponent(f"no log of {component!r} in {str(platform.logs)!r}; there are {known!r}")
    # tail knows how to go on when a log is rotated; it takes the place of this process.
    how = ("-F",) if follow else ()
    os.execvp("tail", ("tail", "-n", str(lines), *how, *map(str, found)))  # noqa: S606
