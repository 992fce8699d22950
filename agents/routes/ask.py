"""POST /v1/ask: a typed answer, or its events as they happen."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.responses import Response

from agents.assistant import CurrentAssistant, CurrentCaller, TraceId
from agents.conversations import kept
from agents.errors import MISSING, describe, error_body
from agents.events import Answer, Done, Event
from agents.knowledge.store import Filters
from agents.questions import accept_question
from agents.routes.conversations import ConversationId, kept_conversations
from agents.routes.documents import LONGEST_NAME
from agents.routes.streams import EventStream, begun, while_connected

router = APIRouter()

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


MOST_FILTERED = 100
Filtered = Annotated[
    tuple[Annotated[str, Field(max_length=LONGEST_NAME)], ...],
    Field(max_length=MOST_FILTERED),
]


class FilterRequest(BaseModel):
    """Restricts the search; an empty list does not restrict."""

    model_config = ConfigDict(extra="forbid")

    sources: Filtered = ()
    document_uris: Filtered = ()
    media_types: Filtered = ()

    def filters(self) -> Filters:
        """What the store takes."""
        return Filters(self.sources, self.document_uris, self.media_types)


class AskRequest(BaseModel):
    """A question, in any language; with a `conversation_id`, which the caller makes up, it is kept in there."""

    model_config = ConfigDict(extra="forbid")

    question: str
    filters: FilterRequest = Field(default_factory=FilterRequest)
    conversation_id: ConversationId | None = None


@router.post(
    "/v1/ask",
    response_model=Answer,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The answer, or its events."}},
)
async def ask(
    body: AskRequest, request: Request, assistant: CurrentAssistant, caller: CurrentCaller, trace_id: TraceId
) -> Any:
    """Answer a question from the knowledge base. With `Accept: text/event-stream` every event is sent as it happens."""
    question = accept_question(body.question, assistant.settings.limits.question_bytes)
    events = assistant.answer(question, body.filters.filters(), trace_id, caller, body.conversation_id)
    if body.conversation_id is not None:
        events = kept(kept_conversations(assistant), caller, body.conversation_id, question, events)
    if "text/event-stream" in request.headers.get("accept", ""):
        return EventStream(_lines(await while_connected(request, lambda: begun(events))))
    answer = await while_connected(request, lambda: last_answer(events))
    return Response(TypeAdapter(Answer).dump_json(answer), media_type="application/json")


async def last_answer(events: AsyncGenerator[Event]) -> Answer:
    """The answer that the events end with."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Done):
                return event.answer
    raise RuntimeError("the orchestrator ended without an answer")


def server_sent(event: str, data: str) -> str:
    """One server-sent event; `data` has no line break."""
    return f"event: {event}\ndata: {data}\n\n"


async def _lines(events: AsyncGenerator[Event]) -> AsyncGenerator[str]:
    try:
        async for event in events:
            name = _CAPITAL.sub("_", type(event).__name__).lower()
            yield server_sent(name, _EVENT.dump_json(event).decode())
    except tuple(MISSING) as error:
        code, _ = describe(error)
        yield server_sent("error", json.dumps(error_body(503, str(error), code)))
    finally:
        await events.aclose()
