"""The commands that a person types; `make` wraps them. `python -m console --help` lists them."""

import sys
from collections.abc import Sequence
from importlib import import_module

import typer

# Each lives in a module of its own name.
COMMANDS = (
    "up",
    "down",
    "status",
    "logs",
    "diagnose",
    "ask",
    "deploy",
    "run",
    "approve",
    "sign",
    "charts",
    "render",
    "images",
    "golden",
)


def application(arguments: Sequence[str]) -> typer.Typer:
    """The application with the command that `arguments` begins with, or with all of them.

    Only what is needed is imported: Prefect's client alone takes two seconds, which `status` must not.
    """
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    # Without a callback, an application of one command would have no command names.
    app.callback()(_describe)
    for name in [name for name in COMMANDS if name in arguments[:1]] or COMMANDS:
        command = getattr(import_module(f"console.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _describe() -> None:
    """Grounded question answering: start it, stop it, look at it, ask it."""


if __name__ == "__main__":
    application(sys.argv[1:])(prog_name="python -m console")
