"""The trace of one question, made of the events that the orchestrator tells."""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager

from langfuse import LangfuseOtelSpanAttributes as Langfuse
from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.trace import Span, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from agents.events import (
    Answer,
    CorrectionBegun,
    Done,
    Event,
    KnowledgeVerified,
    RelevancyJudged,
    SentenceDropped,
    SentenceReleased,
    StateEntered,
)
from agents.states import State
from agents.tracing.ids import use_trace_id
from agents.tracing.shared import Attributes, with_shared_attributes

TRACE = "answer"
ORCHESTRATOR = "orchestrator"
ROOT = f"invoke_agent {ORCHESTRATOR}"
"""The name of the span that holds a whole question."""
AGENTS = {
    State.VERIFY: "rag",
    State.RETRIEVE: "rag",
    State.JUDGE: "evaluator",
    State.CHECK: "evaluator",
    State.SUPPLEMENT: "web_search",
    State.SEARCH_WEB: "web_search",
}
"""The agent that works in a state; in all others it is the orchestrator itself."""
EVALUATION = "gen_ai.evaluation.result"
"""The conventions' event for a judgement: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/."""


async def traced(
    tracer: Tracer,
    question: str,
    trace_id: str,
    prompt_version: str,
    whose: Attributes,
    events: AsyncGenerator[Event],
) -> AsyncGenerator[Event]:
    """The same events, and a trace of what happened between them; raises what `events` raises.

    What the orchestrator calls finds its span as OpenTelemetry's present one. That holds for one step at a time: a
    context that stayed set while this generator waits for its caller would belong to whoever runs it next.
    """
    trace = QuestionTrace(tracer, question, trace_id, prompt_version, whose)
    try:
        while True:
            with trace.present():
                event = await anext(events, None)
            if event is None:
                break
            trace.note(event)
            yield event
    except (asyncio.CancelledError, GeneratorExit):
        trace.abandoned()
        raise
    except BaseException as error:
        trace.failed(error)
        raise
    finally:
        with trace.present():
            await events.aclose()
        trace.end()


class QuestionTrace:
    """The spans of the orchestrator, of its agents and of its states; each ends when the next begins."""

    def __init__(self, tracer: Tracer, question: str, trace_id: str, prompt_version: str, whose: Attributes) -> None:
        self._tracer = tracer
        self._shared: Attributes = {
            Langfuse.TRACE_NAME: TRACE,
            f"{Langfuse.TRACE_METADATA}.prompt_version": prompt_version,
            **whose,
        }
        self._context = with_shared_attributes(self._shared, Context())
        with use_trace_id(trace_id):
            self._root = self._begin(ROOT, self._context, _agent(ORCHESTRATOR))
        self._root.set_attribute(Langfuse.OBSERVATION_INPUT, question)
        self._agent: tuple[str, Span] | None = None
        self._state: Span | None = None
        self._ended = False

    @contextmanager
    def present(self) -> Generator[None]:
        """Within, the span of the present state is OpenTelemetry's present one."""
        token = context.attach(set_span_in_context(self._innermost, self._context))
        try:
            yield
        finally:
            context.detach(token)

    def note(self, event: Event) -> None:
        """Take down what happened."""
        if isinstance(event, StateEntered):
            self._enter(event.state)
        elif isinstance(event, KnowledgeVerified):
            self._shared[f"{Langfuse.TRACE_METADATA}.generation"] = event.generation
        elif isinstance(event, RelevancyJudged):
            judged = _evaluation("relevancy", event.relevancy)
            self._innermost.add_event(EVALUATION, {**judged, gen_ai.GEN_AI_EVALUATION_SCORE_LABEL: event.judgement})
        elif isinstance(event, SentenceReleased):
            self._innermost.add_event(EVALUATION, _evaluation("groundedness", event.sentence.groundedness))
        elif isinstance(event, SentenceDropped):
            self._innermost.add_event("sentence dropped", {"reason": event.reason})
        elif isinstance(event, CorrectionBegun):
            self._innermost.add_event("correction begun", {"attempt": event.attempt, "reason": event.reason})
        elif isinstance(event, Done):
            self._answered(event.answer)

    def abandoned(self) -> None:
        """The caller went away; nothing failed."""
        for span in self._open_spans():
            span.set_attributes(
                {
                    Langfuse.OBSERVATION_LEVEL: "WARNING",
                    Langfuse.OBSERVATION_STATUS_MESSAGE: "stopped: the caller went away",
                }
            )

    def failed(self, error: BaseException) -> None:
        """There is no answer because of `error`."""
        for span in self._open_spans()[:1]:
            span.record_exception(error)
        for span in self._open_spans():
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))

    def end(self) -> None:
        """End what has not ended; a second call changes nothing."""
        for span in self._open_spans():
            span.end()
        self._ended = True

    def _enter(self, state: State) -> None:
        self._leave(self._state)
        self._state = None
        name = AGENTS.get(state)
        if self._agent is not None and self._agent[0] != name:
            self._leave(self._agent[1])
            self._agent = None
        if self._agent is None and name is not None:
            self._agent = name, self._begin(f"invoke_agent {name}", self._below(self._root), _agent(name))
        parent = self._root if self._agent is None else self._agent[1]
        kind = "evaluator" if name == "evaluator" else "span"
        self._state = self._begin(state, self._below(parent), {Langfuse.OBSERVATION_TYPE: kind})

    def _answered(self, answer: Answer) -> None:
        said: Attributes = {
            Langfuse.OBSERVATION_OUTPUT: answer.answer,
            f"{Langfuse.TRACE_METADATA}.kind": answer.kind,
            f"{Langfuse.TRACE_METADATA}.route": json.dumps(list(answer.route)),
            f"{Langfuse.TRACE_METADATA}.relevancy": answer.relevancy,
            f"{Langfuse.TRACE_METADATA}.corrections": answer.corrections,
            f"{Langfuse.TRACE_METADATA}.notes": json.dumps(list(answer.notes)),
        }
        if answer.groundedness is not None:
            said[f"{Langfuse.TRACE_METADATA}.groundedness"] = answer.groundedness
        # What was found out on the way, such as the generation, is on the root as well.
        self._root.set_attributes({**self._shared, **said})
        # Here and not when the generator ends: nobody may read on after the answer.
        self.end()

    @property
    def _innermost(self) -> Span:
        return self._state or (self._agent[1] if self._agent else self._root)

    def _open_spans(self) -> list[Span]:
        if self._ended:
            return []
        agent = None if self._agent is None else self._agent[1]
        return [span for span in (self._state, agent, self._root) if span is not None]

    def _begin(self, name: str, below: Context, attributes: Attributes) -> Span:
        return self._tracer.start_span(name, below, attributes=attributes)

    def _below(self, span: Span) -> Context:
        return set_span_in_context(span, self._context)

    @staticmethod
    def _leave(span: Span | None) -> None:
        if span is not None:
            span.end()


def _agent(name: str) -> Attributes:
    return {
        gen_ai.GEN_AI_OPERATION_NAME: "invoke_agent",
        gen_ai.GEN_AI_AGENT_NAME: name,
        Langfuse.OBSERVATION_TYPE: "agent",
    }


def _evaluation(name: str, score: float) -> dict[str, AttributeValue]:
    return {gen_ai.GEN_AI_EVALUATION_NAME: name, gen_ai.GEN_AI_EVALUATION_SCORE_VALUE: score}
