"""Answers that people were given, out of their traces in Langfuse, as the agent service wrote them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ValidationError

from agents.events import Kind
from agents.prompt import documents_in
from tasks.environment import Environment
from tasks.evaluation.trace_report import Period
from tasks.langfuse.api import answered, langfuse_api, project_key
from tasks.langfuse.destination import LangfuseProject

if TYPE_CHECKING:
    from langfuse.api import LangfuseAPI, ObservationsV2Response, ObservationV2

SEED = 7
PAGE = 1000
MOST_PAGES = 20
"""Of the traces of a period, the newest 20,000 are drawn from."""


@dataclass(frozen=True)
class TracedAnswer:
    """One answer with its question, both masked. `documents` are those of the prompt that it was written from.

    `documents` is None where the trace has no prompt that can be read.
    """

    trace_id: str
    kind: Kind
    question: str
    answer: str
    groundedness: float | None
    documents: str | None


@dataclass(frozen=True)
class TraceSample:
    """`answers` were drawn out of `found` traces of the period."""

    found: int
    answers: tuple[TracedAnswer, ...]


class _Outcome(BaseModel):
    """What the root of a trace says of the answer; Langfuse makes texts of numbers."""

    kind: Kind
    groundedness: float | None = None


@task(task_run_name="sample-traces", cache_policy=NO_CACHE, persist_result=False)
def sample_traces(
    settings: Environment, project: LangfuseProject, period: Period, wanted: int, known: frozenset[str]
) -> TraceSample:
    """Draw `wanted` answers out of the period's traces; the same ones while Langfuse holds the same traces.

    Left out are questions of `known`, which the platform asks itself, and those that ended without an answer.

    Raises:
        LangfuseUnavailable: Langfuse refuses or does not answer.
        InvalidSettings, MissingCredentials, ClientError: there is no key.
    """
    with langfuse_api(project, project_key(settings, project)) as api:
        ids = _trace_ids(api, project.host, settings.name.value, period)
        # The order in which Langfuse lists them must not matter.
        drawn = sorted(ids)
        random.Random(SEED).shuffle(drawn)  # noqa: S311 - a sample that can be drawn again
        answers: list[TracedAnswer] = []
        for trace_id in drawn:
            if len(answers) == wanted:
                break
            answer = _answer(trace_id, _observations(api, project.host, trace_id))
            if answer is not None and answer.question not in known:
                answers.append(answer)
    return TraceSample(len(ids), tuple(answers))


def _trace_ids(api: "LangfuseAPI", host: str, environment: str, period: Period) -> set[str]:
    # It takes a second to import, which every start of a flow would pay.
    from agents.tracing.question import ROOT

    def roots(cursor: str | None) -> "ObservationsV2Response":
        return api.observations.get_many(
            fields="core",
            name=ROOT,
            is_root_observation=True,
            environment=environment,
            from_start_time=period.since,
            to_start_time=period.until,
            limit=PAGE,
            cursor=cursor,
        )

    return {root.trace_id for root in _all(host, roots) if root.trace_id}


def _observations(api: "LangfuseAPI", host: str, trace_id: str) -> "list[ObservationV2]":
    def of_trace(cursor: str | None) -> "ObservationsV2Response":
        return api.observations.get_many(trace_id=trace_id, fields="core,basic,io,metadata", limit=PAGE, cursor=cursor)

    return _all(host, of_trace)


def _all(host: str, ask: "Callable[[str | None], ObservationsV2Response]") -> "list[ObservationV2]":
    """What `ask` gives, page by page, from the cursor of the one before."""
    found: list[ObservationV2] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = answered(host, partial(ask, cursor))
        found += page.data
        cursor = page.meta.cursor
        if cursor is None:
            break
    return found


def _answer(trace_id: str, observations: "Sequence[ObservationV2]") -> TracedAnswer | None:
    """None for a question that was stopped or failed."""
    root = next((each for each in observations if each.is_root_observation), None)
    if root is None or not isinstance(root.input, str) or not isinstance(root.output, str):
        return None
    try:
        outcome = _Outcome.model_validate(root.metadata)
    except ValidationError:
        return None
    # The last one: an answer may be written again, from more than the first one was.
    calls = sorted(observations, key=lambda each: each.start_time, reverse=True)
    prompts = (documents_in(call.input) for call in calls if call.type == "GENERATION" and isinstance(call.input, str))
    return TracedAnswer(
        trace_id=trace_id,
        kind=outcome.kind,
        question=root.input,
        answer=root.output,
        groundedness=outcome.groundedness,
        documents=next((documents for documents in prompts if documents is not None), None),
    )
