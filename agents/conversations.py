"""Answers that are kept in the caller's conversation, and for how long."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from pydantic import TypeAdapter

from agents.caller import Caller
from agents.events import Answer, Done, Event
from agents.state.clock import MS_PER_DAY, moment, now_ms
from agents.state.conversations import ConversationFull, Conversations, Turn
from agents.state.database import StateDatabase, StateUnavailable
from agents.state.usage import Usage, today

FORGET_SECONDS = 3600
"""Between two times that old conversations are deleted."""
_ANSWER = TypeAdapter(Answer)
_log = logging.getLogger(__name__)


async def kept(
    conversations: Conversations, caller: Caller, conversation: str, question: str, events: AsyncGenerator[Event]
) -> AsyncGenerator[Event]:
    """The same events; the answer is kept before it is done, or has a note that it could not be."""
    async with aclosing(events):
        async for event in events:
            yield (
                await _keep(conversations, caller, conversation, question, event) if isinstance(event, Done) else event
            )


async def _keep(conversations: Conversations, caller: Caller, conversation: str, question: str, done: Done) -> Done:
    answer = done.answer
    turn = Turn(question, _ANSWER.dump_json(answer).decode(), answer.trace_id, now_ms())
    try:
        await conversations.add_turn(caller.id, conversation, turn)
    except ConversationFull as error:
        note = f"the answer is not kept: {error}"
    except StateUnavailable as error:
        _log.warning("the answer of trace %s is not kept: %s", answer.trace_id, error)
        note = "the answer is not kept: conversations are unavailable"
    else:
        return done
    return Done(replace(answer, notes=(*answer.notes, note)))


async def forget_old(database: StateDatabase, kept_days: int) -> None:
    """Delete what is older than it may be."""
    oldest = now_ms() - kept_days * MS_PER_DAY
    try:
        forgotten = await Conversations(database).forget_before(oldest)
        await Usage(database).forget_before(today(moment(oldest)))
    except StateUnavailable as error:
        _log.warning("old conversations are not deleted yet: %s", error)
    else:
        if forgotten:
            _log.info("%d conversations were deleted, %d days after their last question", forgotten, kept_days)
