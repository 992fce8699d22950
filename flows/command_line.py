"""A flow as a command: `python -m flows.<stage> --environment local`, with the flow's own typed parameters."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, cast

import typer
from prefect import Flow, State
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import parameter_docstrings

from tasks.environment.variable_file import InvalidEnvironment
from tasks.helm.releases_file import InvalidReleases
from tasks.wrong_input import WrongInput

WRONG_INPUT = (InvalidEnvironment, InvalidReleases, WrongInput, ParameterTypeError)


def run(flow: Flow[..., Any], arguments: Sequence[str] | None = None) -> None:
    """Run `flow` with options read from `arguments` (from the command line by default), and exit.

    Every parameter of the flow is an option of the same name; one without a default is required.
    Exits with 0 when the flow completed, 1 when its work failed, and 2 when the input was wrong.
    """
    application = typer.Typer(add_completion=False, rich_markup_mode=None)
    application.command(help=flow.description)(_command(flow))
    application(args=arguments)


def _command(flow: Flow[..., Any]) -> Callable[..., None]:
    signature = inspect.signature(flow.fn, eval_str=True)
    documented = parameter_docstrings(flow.fn.__doc__)
    options = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=_option(parameter, documented.get(name)))
        for name, parameter in signature.parameters.items()
    ]

    def command(**parameters: object) -> None:
        state = cast(State[Any], flow(**parameters, return_state=True))
        if state.is_completed():
            raise typer.Exit(0)
        typer.echo(f"{flow.name}: {state.name}: {state.message}", err=True)
        outcome = state.result(raise_on_failure=False)
        raise typer.Exit(2 if isinstance(outcome, WRONG_INPUT) else 1)

    # Typer reads the options from the signature and from the annotations.
    command.__signature__ = inspect.Signature(options)  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {option.name: option.annotation for option in options}
    return command


def _option(parameter: inspect.Parameter, documented: str | None) -> object:
    required = parameter.default is inspect.Parameter.empty
    return typer.Option(... if required else parameter.default, help=documented)
