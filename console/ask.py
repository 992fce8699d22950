"""`python -m console ask`: one question to the running assistant."""

import sys
from typing import Annotated

import httpx
import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console

from console.answers import PrintedAnswer, print_answer
from console.failures import INPUT_WRONG, WORK_FAILED, explained
from tasks.agent_service.access import laptop_operator_key
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.platforms import UnknownComponent
from tasks.platforms.component_names import AGENTS
from tasks.platforms.local import LocalPlatform, laptop_of

STANDARD_INPUT = "-"
MARGIN_SECONDS = 10


class _Error(BaseModel):
    message: str


class _Refusal(BaseModel):
    error: _Error


def ask(
    question: Annotated[
        # `make ask` hands the question over in the environment, where no shell reads it.
        str,
        typer.Argument(
            envvar="QUESTION", help="What you want to know; - reads it from standard input.", show_default=False
        ),
    ] = "",
) -> None:
    """Ask the assistant, and print its answer with the passages that it cites.

    Exits with 2 when the assistant refuses the question, and with 1 when there is no answer to be had.
    """
    with explained():
        environment = load_environment(EnvironmentName.LOCAL)
        text = _text(question)
        try:
            key = laptop_operator_key(environment)
            address = LocalPlatform(laptop_of(environment)).address(AGENTS)
            answer = httpx.post(
                f"{address}/v1/ask",
                json={"question": text},
                headers={} if key is None else {"authorization": f"Bearer {key.get_secret_value()}"},
                timeout=environment.agents.answer_seconds + MARGIN_SECONDS,
                trust_env=False,
            )
        except UnknownComponent as error:
            raise _failed("the assistant is not deployed; `make up` starts it", WORK_FAILED) from error
        except httpx.TransportError as error:
            advice = "`make status` shows what runs, `make up` starts it"
            raise _failed(f"the assistant does not answer ({type(error).__name__}); {advice}", WORK_FAILED) from error
    if answer.is_error:
        code = INPUT_WRONG if answer.is_client_error else WORK_FAILED
        raise _failed(f"the assistant refused ({answer.status_code}): {_reason(answer)}", code)
    print_answer(PrintedAnswer.model_validate_json(answer.content), Console())


def _text(question: str) -> str:
    content = sys.stdin.buffer.read() if question == STANDARD_INPUT else question.encode(errors="surrogateescape")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _failed(f"the question is not UTF-8: byte {content[error.start]:#04x}", INPUT_WRONG) from error
    if not text.strip():
        raise _failed('the question is empty; say what you want to know: make ask Q="..."', INPUT_WRONG)
    return text


def _reason(answer: httpx.Response) -> str:
    try:
        return _Refusal.model_validate_json(answer.content).error.message
    except ValidationError:
        # Not the service's own words: something else listens there.
        return answer.text


def _failed(message: str, code: int) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)
