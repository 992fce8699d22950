"""Asks the running agent service, over the same HTTP API that its users have."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeVar

import httpx
import stamina
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

ATTEMPTS = 4
MOST_WAIT_SECONDS = 30


class AssistantUnavailable(Exception):
    """The agent service does not answer, or cannot answer now; says where it was asked and what it said."""


class _Passing(AssistantUnavailable):
    """A failure that may pass by itself, in so many `seconds` where the service says so."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class _Answered(BaseModel):
    # What is not read here may be added to the service's responses at any time.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class FoundChunk(_Answered):
    """The chunk of a found passage; `path` is that of its document within the source."""

    path: str
    text: str


class FoundPassage(_Answered):
    """A passage in the order of the fused ranking."""

    chunk: FoundChunk


class SearchAnswer(_Answered):
    """What `/v1/search` says: passages of one generation, best first, and the relevancy (0..1) of an answer."""

    generation: str
    relevancy: float
    passages: tuple[FoundPassage, ...]


class AskAnswer(_Answered):
    """What `/v1/ask` says from a generation; `groundedness` (0..1) is None when the answer has no sentence."""

    generation: str
    kind: Literal["answered", "quoted", "abstained"]
    answer: str
    groundedness: float | None


class TimedAnswer(_Answered):
    """An answer, and the seconds that it took."""

    said: AskAnswer
    seconds: float


@dataclass(frozen=True)
class NoAnswer:
    """Why the service gave no answer to a question."""

    reason: str


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
    with assistant_client(url, seconds) as client:
        for attempt in stamina.retry_context(on=_Passing, attempts=None, timeout=seconds, wait_max=1):
            with attempt:
                response = _send(client, "GET", "/readyz", None)
                if not response.is_success:
                    raise _Passing(f"GET {response.url} answers {response.status_code} {response.text[:300]}")


@task(task_run_name="find-accepted-key", cache_policy=NO_CACHE, persist_result=False)
def accepted_key(url: str, keys: Sequence[SecretStr], seconds: float) -> SecretStr | None:
    """The first of `keys` that the service at `url` lets in; None when there are none to try.

    Raises:
        AssistantUnavailable: it does not answer within `seconds`, or lets none of them in.
    """
    if not keys:
        return None
    refusals: list[str] = []
    for key in keys:
        with assistant_client(url, seconds, key) as client:
            response = _retrying()(_send, client, "GET", "/v1/models", None)
        if response.is_success:
            return key
        refusals.append(f"{response.status_code} {response.text[:300]}")
    raise AssistantUnavailable(f"GET {url}/v1/models was refused with every key there is: {'; '.join(refusals)}")


@task(task_run_name="ask", cache_policy=NO_CACHE)
def ask(url: str, question: str, seconds: float, key: SecretStr | None = None) -> Probe:
    """Ask one question in full, with `key` where the service wants to know who asks.

    Raises:
        AssistantUnavailable: as for `search_all`.
    """
    with assistant_client(url, seconds, key) as client:
        return Probe(question, post(client, "/v1/ask", {"question": question}, CitedAnswer))


@task(task_run_name="search-golden-questions", cache_policy=NO_CACHE)
def search_all(
    url: str, questions: Sequence[str], limit: int, seconds: float, key: SecretStr | None = None
) -> list[SearchAnswer]:
    """Search for every question, in order, with `key` as for `ask`. `seconds` is the longest that one call may take.

    Raises:
        AssistantUnavailable: the service at `url` does not answer, or refuses a question.
    """
    with assistant_client(url, seconds, key) as client:
        return [search(client, text, limit) for text in questions]


def search(client: httpx.Client, question: str, limit: int) -> SearchAnswer:
    """Search for one question. Raises AssistantUnavailable as for `search_all`."""
    return post(client, "/v1/search", {"query": question, "limit": limit}, SearchAnswer)


@contextmanager
def assistant_client(url: str, seconds: float, key: SecretStr | None = None) -> Generator[httpx.Client]:
    """Speaks to the service at `url`, with `key` where it wants to know who asks; a call takes at most `seconds`."""
    headers = {} if key is None else {"authorization": f"Bearer {key.get_secret_value()}"}
    # The proxy of the surroundings, if there is one, does not lead to this machine's loopback.
    with httpx.Client(base_url=url, timeout=seconds, trust_env=False, headers=headers) as client:
        yield client


def _retrying() -> stamina.BoundRetryingCaller:
    # A restart of the service or of the gateway takes seconds, and a run of many questions should outlive it.
    return stamina.RetryingCaller(attempts=ATTEMPTS, timeout=None, wait_max=MOST_WAIT_SECONDS).on(_wait)


def _wait(error: Exception) -> bool | float:
    return isinstance(error, _Passing) and (error.seconds or True)


def post(client: httpx.Client, path: str, body: dict[str, object], answer: type[Said]) -> Said:
    """Ask the service for an `answer`; what may pass by itself is asked again. Raises AssistantUnavailable."""
    response = _retrying()(_send, client, "POST", path, body)
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
    # Whoever asks too often may come again soon; whoever used up a day's allowance may not.
    if response.status_code == 429 and (seconds := float(response.headers.get("retry-after", 1))) <= MOST_WAIT_SECONDS:
        raise _Passing(f"{where} is asked too often: {response.text[:300]}", seconds)
    return response
