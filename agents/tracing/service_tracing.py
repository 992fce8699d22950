"""Tracing as the service uses it: Langfuse when the settings name one, nothing otherwise."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from opentelemetry.trace import NoOpTracer, Tracer

from agents.caller import Caller
from agents.events import Answer, Done, Event
from agents.metrics import Metrics
from agents.prompt_version import prompt_version
from agents.settings import Langfuse, langfuse_key
from agents.tracing.asker import asker
from agents.tracing.export import SpanExport
from agents.tracing.model_calls import ModelCalls
from agents.tracing.question import traced
from agents.tracing.scores import Score, Scores

LOST = "the trace of this answer may be lost: Langfuse did not take the last ones"


class TracesLost(Exception):
    """Langfuse does not take the traces of answers; the message says where it is."""


class Tracing:
    """Traces of questions, and scores of answers. Without `langfuse` both lead nowhere; model calls are counted."""

    def __init__(self, langfuse: Langfuse | None, environment: str, release: str | None, metrics: Metrics) -> None:
        self._export: SpanExport | None = None
        self._scores: Scores | None = None
        self._secret = ""
        if langfuse is not None:
            self._secret = secret = langfuse_key(langfuse)
            self._export = SpanExport(langfuse, secret, environment, release, metrics)
            self._scores = Scores(langfuse, secret, environment, metrics)
        self.tracer: Tracer = NoOpTracer() if self._export is None else self._export.tracer
        self.calls = ModelCalls(self.tracer, metrics)

    @property
    def is_on(self) -> bool:
        """Whether traces are sent anywhere."""
        return self._export is not None

    def start(self) -> None:
        """Begin to send scores, in the running event loop; spans have a thread of their own."""
        if self._scores is not None:
            self._scores.start()

    def follow(
        self, question: str, trace_id: str, caller: Caller, conversation: str | None, events: AsyncGenerator[Event]
    ) -> AsyncGenerator[Event]:
        """The same events, traced under `trace_id` when there is somewhere to send it."""
        if self._export is None:
            return events
        whose = asker(caller, conversation, self._secret)
        return traced(self.tracer, question, trace_id, prompt_version(), whose, _noted(self._export, events))

    async def check(self) -> None:
        """Raises `TracesLost` when Langfuse did not take the last spans that it was sent; nothing is sent for it."""
        if self._export is not None and self._export.failing:
            raise TracesLost(f"Langfuse at {self._export.host!r} did not take the last traces; the log says why")

    def score(self, score: Score) -> None:
        """Have a score of an answer sent; never waits."""
        if self._scores is not None:
            self._scores.put(score)

    def score_answer(self, answer: Answer) -> None:
        """Have the evaluator's judgement of an answer sent."""
        self.score(Score(answer.trace_id, "relevancy", answer.relevancy))
        if answer.groundedness is not None:
            self.score(Score(answer.trace_id, "groundedness", answer.groundedness))

    async def close(self) -> None:
        """Send what is left, within a few seconds."""
        if self._scores is not None and self._export is not None:
            await asyncio.gather(self._scores.close(), self._export.close())


async def _noted(export: SpanExport, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The same events; the answer says so when its trace will most likely not arrive."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Done) and export.failing:
                yield Done(replace(event.answer, notes=(*event.answer.notes, LOST)))
            else:
                yield event
