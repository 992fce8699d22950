"""Langfuse's public API by its own client: how it is reached, and how long it is asked."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import httpx
import stamina
from pydantic import SecretStr

from agents.settings import required_key
from tasks.environment import Environment
from tasks.environment.addons import LANGFUSE_KEY
from tasks.langfuse.destination import LangfuseProject
from tasks.runs.log import run_log
from tasks.secret_value import stored_secret

if TYPE_CHECKING:
    from langfuse.api import CreateScoreRequest, LangfuseAPI

REQUEST_SECONDS = 30.0
ATTEMPTS = 4
RETRY_SECONDS = 60.0
BATCH = 100

Answer = TypeVar("Answer")


class LangfuseUnavailable(Exception):
    """Langfuse refused or did not answer; says where, and how."""


def project_key(settings: Environment, project: LangfuseProject) -> SecretStr:
    """The project's secret key.

    Raises:
        InvalidSettings: its variable is not set (laptop).
        LangfuseUnavailable: the file has no such secret (AWS).
        MissingCredentials, ClientError: it cannot be read (AWS).
    """
    if project.secret_name is None:
        return SecretStr(required_key(project.secret_variable, project.host, os.environ))
    key = stored_secret(settings, LANGFUSE_KEY)
    if key is None:
        raise LangfuseUnavailable(f"data.secrets of {settings.name.value!r} has no {LANGFUSE_KEY!r}: add it")
    return key


@contextmanager
def langfuse_api(project: LangfuseProject, key: SecretStr) -> Generator["LangfuseAPI"]:
    """The client of one project, for the time of a block."""
    # It takes a second to import, which every start of a flow would pay.
    from langfuse.api import LangfuseAPI

    with httpx.Client(timeout=REQUEST_SECONDS) as connections:
        yield LangfuseAPI(
            base_url=project.host.rstrip("/"),
            username=project.public_key,
            password=key.get_secret_value(),
            httpx_client=connections,
        )


def answered(host: str, call: Callable[[], Answer]) -> Answer:
    """What `call` returns, tried again while what is wrong may pass.

    Raises:
        LangfuseUnavailable: it does not pass, or cannot.
    """
    from langfuse.api.core.api_error import ApiError

    def may_pass(error: Exception) -> bool:
        if isinstance(error, ApiError):
            return error.status_code is None or error.status_code == 429 or error.status_code >= 500
        return isinstance(error, httpx.TransportError)

    try:
        return stamina.RetryingCaller(attempts=ATTEMPTS, timeout=RETRY_SECONDS).on(may_pass)(call)
    except (ApiError, httpx.HTTPError) as error:
        # What a refusal says is left out: it may quote what was sent.
        how = f"status {error.status_code}" if isinstance(error, ApiError) else type(error).__name__
        raise LangfuseUnavailable(
            f"Langfuse at {host!r} did not answer ({how}): look after it, and after the keys of its project"
        ) from None


def write_scores(api: "LangfuseAPI", host: str, scores: "Sequence[CreateScoreRequest]") -> int:
    """Write `scores` in batches; returns how many Langfuse took. Those that it refused are counted in the log.

    Raises:
        LangfuseUnavailable: it does not answer; those of earlier batches are written.
    """
    from langfuse.api.scores import CreateScoreBatchResults

    refused = 0
    for start in range(0, len(scores), BATCH):
        batch = [*scores[start : start + BATCH]]
        outcome = answered(host, lambda batch=batch: api.scores.create(request=batch))
        refused += outcome.rejected if isinstance(outcome, CreateScoreBatchResults) else 0
    if refused:
        run_log().warning("Langfuse refused %d of %d scores", refused, len(scores))
    return len(scores) - refused
