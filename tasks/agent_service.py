"""The agent service as its users meet it: asked over HTTP, by the same interface that they have."""

from dataclasses import dataclass

import httpx
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import TypeAdapter

from agents.events import Answer, Citation


class ServiceRefused(Exception):
    """The service did not answer a question; carries its own words."""


@dataclass(frozen=True)
class CitedAnswer:
    """A question with its answer, and the places that the answer rests on."""

    question: str
    answer: str
    citations: tuple[Citation, ...]


_ANSWER = TypeAdapter(Answer)


@task(task_run_name="await-readiness", cache_policy=NO_CACHE, retries=30, retry_delay_seconds=1)
def require_ready(service_url: str) -> None:
    """Pass once the service says that it has all that an answer needs.

    Raises:
        ServiceRefused: it still lacks something after the retries; says what.
    """
    try:
        answer = httpx.get(f"{service_url}/readyz", timeout=10, trust_env=False)
    except httpx.TransportError as error:
        raise ServiceRefused(f"{service_url}/readyz does not answer: {error}") from error
    if not answer.is_success:
        raise ServiceRefused(f"{service_url}/readyz answers {answer.status_code}: {answer.text}")


@task(task_run_name="ask", cache_policy=NO_CACHE)
def ask(service_url: str, question: str) -> CitedAnswer:
    """Ask one question. Raises `ServiceRefused` with the service's own words when it does not answer."""
    try:
        answer = httpx.post(f"{service_url}/v1/ask", json={"question": question}, timeout=180, trust_env=False)
    except httpx.TransportError as error:
        raise ServiceRefused(f"{service_url}/v1/ask does not answer: {error}") from error
    if not answer.is_success:
        raise ServiceRefused(f"{service_url}/v1/ask answers {answer.status_code}: {answer.text}")
    said = _ANSWER.validate_json(answer.content)
    return CitedAnswer(question, said.answer, said.citations)
