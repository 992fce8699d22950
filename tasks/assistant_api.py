"""Asks the running agent service, over the same HTTP API that its users have."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Literal, TypeVar

import httpx
import stamina
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, ValidationError

ATTEMPTS = 4
MOST_WAIT_SECONDS = 30


class AssistantUnavailable(Exception):
    """The agent service does not answer, or cannot answer now; says where it was asked and what it said."""


class _Passing(AssistantUnavailable):
    """A failure that may pass by itself."""


class _Answered(BaseModel):
    # What is not read here may be added to the service's responses at any time.
    model_config = ConfigDict(frozen=True, extra="ignore")


class FoundChunk(_Answered):
    """The chunk of a found passage; `path` is that of its document within the source."""

    path: str
    text: str


class FoundPassage(_Answered):
    """A passage in the order of the fused ranking."""

    chunk: FoundChunk


class SearchAnswer(_Answered):
    """What `/v1/search` says: passages best first, and the relevancy (0..1) that an answer would have."""

    relevancy: float
    passages: tuple[FoundPassage, ...]


class AskAnswer(_Answered):
    """What `/v1/ask` says; `groundedness` (0..1) is None when the answer has no sentence."""

    kind: Literal["answered", "quoted", "abstained"]
    answer: str
    groundedness: float | None


class TimedAnswer(_Answered):
    """An answer, and the seconds that it took."""

    said: AskAnswer
    seconds: float


class Citation(_Answered):
    """A place that an answer rests on: `path` in its source, the headings above it, and its exact words."""

    number: int
    path: str
    heading_path: tuple[str, ...]
    quote: str


class CitedAnswer(AskAnswer):
    """An answer with its citations."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Probe:
    """A question that shows that the assistant works, and its answer."""

    question: str
    answer: CitedAnswer


Said = TypeVar("Said", SearchAnswer, AskAnswer, CitedAnswer)


@task(task_run_name="await-readiness", cache_policy=NO_CACHE)
def require_ready(url: str, seconds: float) -> None:
    """Pass once the service at `url` says that it has all that an answer needs, within `seconds`.

    Raises:
        AssistantUnavailable: it still lacks something then; says what.
    """
    with _client(url, seconds) as client:
        for attempt in stamina.retry_context(on=_Passing, attempts=None, timeout=seconds, wait_max=1):
            with attempt:
                _send(client, "GET", "/readyz", None)


@task(task_run_name="ask", cache_policy=NO_CACHE)
def ask(url: str, question: str, seconds: float) -> Probe:
    """Ask one question in full.

    Raises:
        AssistantUnavailable: as for `search_all`.
    """
    with _client(url, seconds) as client:
        return Probe(question, _post(client, "/v1/ask", {"question": question}, CitedAnswer))


@task(task_run_name="search-golden-questions", cache_policy=NO_CACHE)
def search_all(url: str, questions: Sequence[str], limit: int, seconds: float) -> list[SearchAnswer]:
    """Search for every question, in order. `seconds` is the longest that one call may take.

    Raises:
        AssistantUnavailable: the service at `url` does not answer, or refuses a question.
    """
    with _client(url, seconds) as client:
        return [_post(client, "/v1/search", {"query": text, "limit": limit}, SearchAnswer) for text in questions]


@task(task_run_name="answer-golden-questions", cache_policy=NO_CACHE)
def ask_all(
    url: str, questions: Sequence[str], seconds: float, on_progress: Callable[[int], None]
) -> list[TimedAnswer]:
    """Ask every question in full, one after the other; `on_progress` is told how many are done.

    Raises:
        AssistantUnavailable: as for `search_all`.
    """
    answers: list[TimedAnswer] = []
    with _client(url, seconds) as client:
        for text in questions:
            began = perf_counter()
            said = _post(client, "/v1/ask", {"question": text}, AskAnswer)
            answers.append(TimedAnswer(said=said, seconds=round(perf_counter() - began, 3)))
            on_progress(len(answers))
    return answers


@contextmanager
def _client(url: str, seconds: float) -> Generator[httpx.Client]:
    # The proxy of the surroundings, if there is one, does not lead to this machine's loopback.
    with httpx.Client(base_url=url, timeout=seconds, trust_env=False) as client:
        yield client


def _post(client: httpx.Client, path: str, body: dict[str, object], answer: type[Said]) -> Said:
    # A restart of the service or of the gateway takes seconds, and a run of many questions should outlive it.
    retrying = stamina.RetryingCaller(attempts=ATTEMPTS, timeout=None, wait_max=MOST_WAIT_SECONDS).on(_Passing)
    response = retrying(_send, client, "POST", path, body)
    where = f"POST {client.base_url.join(path)}"
    if not response.is_success:
        raise AssistantUnavailable(f"{where} with {body!r} was refused: {response.status_code} {response.text[:300]}")
    try:
        return answer.model_validate_json(response.content)
    except ValidationError as error:
        raise AssistantUnavailable(f"{where} answered something else than {answer.__name__}: {error}") from error


def _send(client: httpx.Client, method: str, path: str, body: dict[str, object] | None) -> httpx.Response:
    where = f"{method} {client.base_url.join(path)}"
    try:
        response = client.request(method, path, json=body)
    except httpx.TransportError as error:
        raise _Passing(f"{where} got no answer: {type(error).__name__} {error}") from error
    if response.status_code == 503:
        raise _Passing(f"{where} cannot answer now: {response.text[:300]}")
    return response
