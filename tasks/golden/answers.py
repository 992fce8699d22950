"""What the agent service says to many questions, of which some may remain without an answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeVar

import httpx
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import SecretStr

from tasks.agent_service.http_api import (
    AskAnswer,
    AssistantUnavailable,
    NoAnswer,
    SearchAnswer,
    TimedAnswer,
    assistant_client,
    post,
    search,
)

Given = TypeVar("Given", SearchAnswer, TimedAnswer)


@task(task_run_name="search-most-golden-questions", cache_policy=NO_CACHE)
def search_most(
    url: str, questions: Sequence[str], limit: int, seconds: float, key: SecretStr | None, most_failed: float
) -> list[SearchAnswer | NoAnswer]:
    """As `http_api.search_all`, where the share `most_failed` (0..1) of questions may remain without an answer.

    Raises:
        AssistantUnavailable: as for `search_all`, of more questions than may be; those that are left are not asked.
    """
    bound = _Bound(len(questions), most_failed)
    with assistant_client(url, seconds, key) as client:
        return [bound.answer_or_reason(lambda text=text: search(client, text, limit)) for text in questions]


@task(task_run_name="answer-golden-questions", cache_policy=NO_CACHE)
def ask_all(
    url: str,
    questions: Sequence[str],
    seconds: float,
    on_progress: Callable[[int], None],
    key: SecretStr | None = None,
    most_failed: float = 0.0,
) -> list[TimedAnswer | NoAnswer]:
    """Ask every question in full, one after the other; `on_progress` is told how many are done, `key` is as for `ask`.

    The share `most_failed` (0..1) of the questions may remain without an answer.

    Raises:
        AssistantUnavailable: as for `search_all`, of more questions than may be; those that are left are not asked.
    """
    answers: list[TimedAnswer | NoAnswer] = []
    bound = _Bound(len(questions), most_failed)
    with assistant_client(url, seconds, key) as client:
        for text in questions:
            answers.append(bound.answer_or_reason(lambda text=text: _timed(client, text)))
            on_progress(len(answers))
    return answers


@dataclass
class _Bound:
    """How many of `questions` may remain without an answer: the share `most_failed`. `reasons` has one of each."""

    questions: int
    most_failed: float
    reasons: list[str] = field(default_factory=list[str])

    def answer_or_reason(self, ask_one: Callable[[], Given]) -> Given | NoAnswer:
        try:
            return ask_one()
        except AssistantUnavailable as error:
            self.reasons.append(str(error))
            if len(self.reasons) > self.most_failed * self.questions:
                raise AssistantUnavailable(
                    f"{len(self.reasons)} of {self.questions} questions got no answer, above the allowed share "
                    f"{self.most_failed:g}; first reason: {self.reasons[0]}"
                ) from error
            return NoAnswer(self.reasons[-1])


def _timed(client: httpx.Client, text: str) -> TimedAnswer:
    began = perf_counter()
    said = post(client, "/v1/ask", {"question": text}, AskAnswer)
    return TimedAnswer(said=said, seconds=round(perf_counter() - began, 3))
