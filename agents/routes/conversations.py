"""/v1/conversations: what the caller asked before, and nobody else's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Json, StringConstraints, TypeAdapter
from starlette.exceptions import HTTPException

from agents.assistant import CurrentAssistant, CurrentCaller
from agents.state import conversations as state
from agents.state.clock import moment

router = APIRouter()

ConversationId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")]
PAGE = 50
MOST_LISTED = 200


@dataclass(frozen=True)
class ConversationSummary:
    """A conversation without its turns; `title` is how its first question begins."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class ConversationTurn:
    """A question, and the whole answer that was given to it."""

    question: str
    answer: dict[str, Any]
    trace_id: str
    asked_at: datetime


@dataclass(frozen=True)
class Conversation(ConversationSummary):
    """A conversation with its turns, in their order."""

    turns: tuple[ConversationTurn, ...]


@dataclass(frozen=True)
class ConversationList:
    """A page of conversations, the one that changed last first; `next` is the `before` of the next page, if any."""

    conversations: tuple[ConversationSummary, ...]
    next: str | None


def kept_conversations(assistant: CurrentAssistant) -> state.Conversations:
    """The caller's conversations. Raises `HTTPException` (404) where none are kept."""
    if assistant.access.conversations is None:
        raise HTTPException(404, "conversations are not kept here: the service has no state database")
    return assistant.access.conversations


@router.get("/v1/conversations")
async def listed(
    assistant: CurrentAssistant,
    caller: CurrentCaller,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = PAGE,
    before: Annotated[str | None, Query(pattern=r"^[0-9]{1,15}\.[0-9A-Za-z-]{1,64}$")] = None,
) -> ConversationList:
    """The caller's conversations."""
    moment_ms, _, last = (before or "").partition(".")
    ended = (int(moment_ms), last) if before is not None else None
    found = await kept_conversations(assistant).listed(caller.id, limit + 1, ended)
    page = found[:limit]
    following = f"{page[-1].updated_ms}.{page[-1].id}" if len(found) > limit else None
    return ConversationList(tuple(ConversationSummary(**_summary(conversation)) for conversation in page), following)


@router.get("/v1/conversations/{conversation_id}")
async def read(conversation_id: ConversationId, assistant: CurrentAssistant, caller: CurrentCaller) -> Conversation:
    """One of the caller's conversations."""
    found = await kept_conversations(assistant).read(caller.id, conversation_id)
    if found is None:
        raise HTTPException(404, f"there is no conversation {conversation_id!r}")
    conversation, turns = found
    answers = TypeAdapter[dict[str, Any]](Json[dict[str, Any]])
    return Conversation(
        **_summary(conversation),
        turns=tuple(
            ConversationTurn(turn.question, answers.validate_python(turn.answer), turn.trace_id, moment(turn.asked_ms))
            for turn in turns
        ),
    )


@router.delete("/v1/conversations/{conversation_id}", status_code=204)
async def delete(conversation_id: ConversationId, assistant: CurrentAssistant, caller: CurrentCaller) -> None:
    """Delete one of the caller's conversations."""
    if not await kept_conversations(assistant).delete(caller.id, conversation_id):
        raise HTTPException(404, f"there is no conversation {conversation_id!r}")


def _summary(conversation: state.Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created_at": moment(conversation.created_ms),
        "updated_at": moment(conversation.updated_ms),
    }
