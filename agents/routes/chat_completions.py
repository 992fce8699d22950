"""POST /v1/chat/completions and GET /v1/models: the assistant as a model of an OpenAI-compatible server."""

import json
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, TypeAdapter

from agents.assistant import CurrentAssistant, TraceId
from agents.errors import MISSING, UnknownModel, describe, error_body
from agents.events import Answer, Citation, Done, Event, SentenceReleased
from agents.knowledge.store import Filters
from agents.questions import RefusedQuestion, accept_question
from agents.routes.ask import last_answer
from agents.routes.streams import EventStream, begun, while_connected

router = APIRouter()

MODEL = "agentic-eks"
_ANSWER = TypeAdapter(Answer)


class TextPart(BaseModel):
    """A part of a message; only text is understood."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None


class ChatRequest(BaseModel):
    """A conversation; its last user message is the question. Sampling parameters are accepted and have no effect."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool = False
    n: Literal[1] = 1
    tools: Annotated[list[Any], Field(max_length=0)] = Field(default_factory=list[Any])


@router.get("/v1/models")
async def models() -> dict[str, Any]:
    """The one model that is offered."""
    return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}]}


@router.post("/v1/chat/completions", responses={200: {"content": {"text/event-stream": {}}}})
async def chat_completions(body: ChatRequest, request: Request, assistant: CurrentAssistant, trace_id: TraceId) -> Any:
    """Answer the last user message; citations follow the text as footnotes and lie in the field `citations`."""
    if body.model != MODEL:
        raise UnknownModel(f"the model {body.model!r} does not exist; there is {MODEL!r}")
    question = accept_question(_question(body.messages), assistant.settings.limits.question_bytes)
    events = assistant.answer(question, Filters(), trace_id)
    if body.stream:
        return EventStream(_chunks(await while_connected(request, lambda: begun(events)), trace_id))
    answer = await while_connected(request, lambda: last_answer(events))
    message = {"role": "assistant", "content": answer.answer + footnotes(answer.citations)}
    return {
        **_head(trace_id, "chat.completion"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        **_extra(answer),
    }


def footnotes(citations: tuple[Citation, ...]) -> str:
    """The citations as text, a line each."""
    lines = [
        f"[{citation.number}] {' > '.join(citation.heading_path) or citation.title} ({citation.path})"
        for citation in citations
    ]
    return "\n\n" + "\n".join(lines) if lines else ""


async def _chunks(events: AsyncGenerator[Event], trace_id: str) -> AsyncGenerator[str]:
    try:
        yield _chunk(trace_id, {"role": "assistant", "content": ""})
        async for event in events:
            if isinstance(event, SentenceReleased):
                sentence = event.sentence
                yield _chunk(trace_id, {"content": f"{sentence.separator}{sentence.text} [{sentence.citation}]"})
            elif isinstance(event, Done):
                answer = event.answer
                if rest := footnotes(answer.citations) if answer.sentences else answer.answer:
                    yield _chunk(trace_id, {"content": rest})
                yield _chunk(trace_id, {}, "stop", _extra(answer))
        yield "data: [DONE]\n\n"
    except tuple(MISSING) as error:
        code, _ = describe(error)
        yield f"data: {json.dumps(error_body(503, str(error), code))}\n\n"
    finally:
        await events.aclose()


def _chunk(
    trace_id: str, delta: dict[str, str], finish_reason: str | None = None, extra: dict[str, Any] | None = None
) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return f"data: {json.dumps({**_head(trace_id, 'chat.completion.chunk'), 'choices': [choice], **(extra or {})})}\n\n"


def _head(trace_id: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{trace_id}", "object": kind, "created": int(time.time()), "model": MODEL}


def _extra(answer: Answer) -> dict[str, Any]:
    fields = _ANSWER.dump_python(answer, mode="json", include={"kind", "citations", "relevancy", "groundedness"})
    return {**fields, "trace_id": answer.trace_id}


def _question(messages: list[Message]) -> str:
    for message in reversed(messages):
        if message.role == "user":
            content = message.content or ""
            return content if isinstance(content, str) else "\n".join(part.text for part in content)
    raise RefusedQuestion("the conversation has no message of the user", 400)
