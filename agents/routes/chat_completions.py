"""POST /v1/chat/completions and GET /v1/models: the assistant as a model of an OpenAI-compatible server."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, TypeAdapter

from agents.assistant import CurrentAssistant, CurrentCaller, TraceId
from agents.errors import MISSING, UnknownModel, describe, error_body
from agents.events import Answer, Citation, Done, Event, SentenceReleased
from agents.guards.inert_text import inert
from agents.knowledge.store import Filters
from agents.questions import RefusedQuestion, accept_question
from agents.routes.ask import last_answer
from agents.routes.streams import EventStream, begun, while_connected
from agents.token_estimate import estimate_tokens

router = APIRouter()

MODEL = "agentic-eks"
_OFFERED = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}
_ANSWER = TypeAdapter(Answer)
_METADATA = {"kind", "citations", "relevancy", "groundedness", "route", "generation", "freshness", "notes"}
"""Of an answer, beside what OpenAI's clients know of."""


class TextPart(BaseModel):
    """A part of a message; only text is understood."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None


class StreamOptions(BaseModel):
    """What a stream carries besides the answer."""

    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """A conversation; its last user message is the question. Sampling parameters are accepted and have no effect.

    What is null is as if it was left out: OpenAI's clients send what they were given as None.
    """

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    tools: Annotated[list[Any], Field(max_length=0)] | None = None


@router.get("/v1/models")
async def models() -> dict[str, Any]:
    """The one model that is offered."""
    return {"object": "list", "data": [_OFFERED]}


@router.get("/v1/models/{model}")
async def model(model: str) -> dict[str, Any]:
    """One model, when it is the one that is offered."""
    _accept_model(model)
    return _OFFERED


@router.post("/v1/chat/completions", responses={200: {"content": {"text/event-stream": {}}}})
async def chat_completions(
    body: ChatRequest, request: Request, assistant: CurrentAssistant, caller: CurrentCaller, trace_id: TraceId
) -> Any:
    """Answer the last user message; citations follow the text as footnotes; they and the notes are fields, too."""
    _accept_model(body.model)
    question = accept_question(_question(body.messages), assistant.settings.limits.question_bytes)
    events = assistant.answer(question, Filters(), trace_id, caller)
    if body.stream:
        counted = body.messages if body.stream_options and body.stream_options.include_usage else None
        return EventStream(_chunks(await while_connected(request, lambda: begun(events)), trace_id, counted))
    answer = await while_connected(request, lambda: last_answer(events))
    content = answer.answer + footnotes(answer.citations)
    message = {"role": "assistant", "content": content}
    return {
        **_head(trace_id, "chat.completion"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": await _usage(body.messages, content),
        **_extra(answer),
    }


def usage(messages: list[Message], content: str) -> dict[str, int]:
    """Tokens of the conversation and of the answer, estimated: whatever models were asked for it is not in there."""
    prompt = sum(estimate_tokens(text) for message in messages for text in _texts(message))
    completion = estimate_tokens(content)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


async def _usage(messages: list[Message], content: str) -> dict[str, int]:
    # A conversation may be as long as a request; others are waiting meanwhile.
    return await asyncio.to_thread(usage, messages, content)


def footnotes(citations: tuple[Citation, ...]) -> str:
    """The citations as text, a line each."""
    lines = [
        f"[{citation.number}] {inert(' > '.join(citation.heading_path) or citation.title)} ({inert(citation.path)})"
        for citation in citations
    ]
    return "\n\n" + "\n".join(lines) if lines else ""


async def _chunks(events: AsyncGenerator[Event], trace_id: str, counted: list[Message] | None) -> AsyncGenerator[str]:
    # With usage asked for, every chunk has the field, and one more without any choice carries the figures.
    extra: dict[str, Any] = {} if counted is None else {"usage": None}
    head = _head(trace_id, "chat.completion.chunk")
    content = ""
    try:
        yield _chunk(head, [_choice({"role": "assistant", "content": ""})], extra)
        async for event in events:
            if piece := _piece(event):
                content += piece
                yield _chunk(head, [_choice({"content": piece})], extra)
            if isinstance(event, Done):
                yield _chunk(head, [_choice({}, "stop")], {**extra, **_extra(event.answer)})
        if counted is not None:
            yield _chunk(head, [], {"usage": await _usage(counted, content)})
        yield "data: [DONE]\n\n"
    except tuple(MISSING) as error:
        code, _ = describe(error)
        yield f"data: {json.dumps(error_body(503, str(error), code))}\n\n"
    finally:
        await events.aclose()


def _piece(event: Event) -> str:
    if isinstance(event, SentenceReleased):
        sentence = event.sentence
        return f"{sentence.separator}{sentence.text} [{sentence.citation}]"
    if isinstance(event, Done):
        return footnotes(event.answer.citations) if event.answer.sentences else event.answer.answer
    return ""


def _choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}


def _chunk(head: dict[str, Any], choices: list[dict[str, Any]], extra: dict[str, Any]) -> str:
    return f"data: {json.dumps({**head, 'choices': choices, **extra})}\n\n"


def _head(trace_id: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{trace_id}", "object": kind, "created": int(time.time()), "model": MODEL}


def _accept_model(model: str) -> None:
    if model != MODEL:
        raise UnknownModel(f"the model {model!r} does not exist; there is {MODEL!r}")


def _extra(answer: Answer) -> dict[str, Any]:
    return {**_ANSWER.dump_python(answer, mode="json", include=_METADATA), "trace_id": answer.trace_id}


def _texts(message: Message) -> list[str]:
    if isinstance(message.content, list):
        return [part.text for part in message.content]
    return [message.content or ""]


def _question(messages: list[Message]) -> str:
    for message in reversed(messages):
        if message.role == "user":
            return "\n".join(_texts(message))
    raise RefusedQuestion("the conversation has no message of the user", 400)
