"""`python -m console ask`: one question to the running assistant."""

from typing import Annotated

import httpx
import typer
from rich.console import Console

from console.answers import PrintedAnswer, print_answer
from console.failures import INPUT_WRONG, WORK_FAILED, explained
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.platforms.component_names import AGENTS
from tasks.platforms.local import LocalPlatform, laptop_of


def ask(question: Annotated[str, typer.Argument(help="What you want to know.")]) -> None:
    """Ask the assistant, and print its answer with the passages that it cites."""
    with explained():
        environment = load_environment(EnvironmentName.LOCAL)
        address = LocalPlatform(laptop_of(environment)).address(AGENTS)
        try:
            answer = httpx.post(
                f"{address}/v1/ask",
                json={"question": question},
                timeout=environment.agents.answer_seconds + 10,
                trust_env=False,
            )
        except httpx.ConnectError as error:
            typer.echo(f"the assistant does not answer at {address}; `make status` shows what runs", err=True)
            raise typer.Exit(WORK_FAILED) from error
    if answer.is_error:
        typer.echo(f"the assistant refused ({answer.status_code}): {answer.text}", err=True)
        raise typer.Exit(INPUT_WRONG if answer.is_client_error else WORK_FAILED)
    print_answer(PrintedAnswer.model_validate_json(answer.content), Console())
