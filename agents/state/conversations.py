"""Conversations: what each caller asked, and what the answer was."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import text

from agents.state.clock import now_ms
from agents.state.database import StateDatabase

MOST_TURNS = 500
TITLE_CHARACTERS = 120
FORGOTTEN_AT_ONCE = 100
"""Each with up to `MOST_TURNS` turns: the database gives a statement few seconds, and SQLite lets nobody else write."""
TURN_OF_OTHERS_SECONDS = 0.1
"""Between two such transactions: whoever waits for SQLite's lock looks again after 0.1 s at most."""
_END_OF_TIME_MS = 2**53


class ConversationFull(Exception):
    """The conversation has as many turns as one may have."""


@dataclass(frozen=True)
class Turn:
    """A question and its answer (JSON); `asked_ms` is in milliseconds since 1970."""

    question: str
    answer: str
    trace_id: str
    asked_ms: int


@dataclass(frozen=True)
class Conversation:
    """A conversation without its turns; `title` is how its first question begins."""

    id: str
    title: str
    created_ms: int
    updated_ms: int


class Conversations:
    """The conversations in the state database, each below its owner: nobody's id leads to another's conversation.

    All methods raise `agents.state.database.StateUnavailable`.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def add_turn(self, owner: str, conversation: str, turn: Turn) -> None:
        """Add to the conversation, which begins with its first turn.

        Raises:
            ConversationFull: it has `MOST_TURNS` turns.
        """
        begin = text(
            "INSERT INTO conversations (owner, id, title, created_ms, updated_ms)"
            " VALUES (:owner, :id, :title, :now, :now)"
            " ON CONFLICT (owner, id) DO UPDATE SET updated_ms = :now"
        )
        count = text("SELECT COALESCE(MAX(position) + 1, 0) FROM turns WHERE owner = :owner AND conversation = :id")
        add = text(
            "INSERT INTO turns (owner, conversation, position, question, answer, trace_id, asked_ms)"
            " VALUES (:owner, :id, :position, :question, :answer, :trace_id, :asked_ms)"
        )
        key = {"owner": owner, "id": conversation}
        async with self._database.transaction() as connection:
            # The first statement locks the conversation until the end of the transaction: positions have no gaps.
            title = " ".join(turn.question.split())[:TITLE_CHARACTERS]
            await connection.execute(begin, {**key, "title": title, "now": now_ms()})
            position = (await connection.execute(count, key)).scalar_one()
            if position >= MOST_TURNS:
                raise ConversationFull(f"the conversation has {position} turns, as many as one may have: begin another")
            await connection.execute(add, {**key, "position": position, **vars(turn)})

    async def listed(self, owner: str, limit: int, before: tuple[int, str] | None = None) -> list[Conversation]:
        """The owner's conversations, the one that changed last first; of the same moment by their id.

        `before` goes on where a page ended: `updated_ms` and `id` of its last conversation.
        """
        statement = text(
            "SELECT id, title, created_ms, updated_ms FROM conversations"
            " WHERE owner = :owner AND (updated_ms < :moment OR (updated_ms = :moment AND id > :id))"
            " ORDER BY updated_ms DESC, id LIMIT :limit"
        )
        moment, last = before or (_END_OF_TIME_MS, "")
        values = {"owner": owner, "limit": limit, "moment": moment, "id": last}
        async with self._database.transaction() as connection:
            rows = await connection.execute(statement, values)
            return [Conversation(*row) for row in rows]

    async def read(self, owner: str, conversation: str) -> tuple[Conversation, list[Turn]] | None:
        """The conversation and its turns, the first first; None when the owner has no such conversation."""
        head = text("SELECT id, title, created_ms, updated_ms FROM conversations WHERE owner = :owner AND id = :id")
        turns = text(
            "SELECT question, answer, trace_id, asked_ms FROM turns"
            " WHERE owner = :owner AND conversation = :id ORDER BY position"
        )
        key = {"owner": owner, "id": conversation}
        async with self._database.transaction() as connection:
            row = (await connection.execute(head, key)).first()
            if row is None:
                return None
            return Conversation(*row), [Turn(*turn) for turn in await connection.execute(turns, key)]

    async def delete(self, owner: str, conversation: str) -> bool:
        """Delete the conversation; whether the owner had it."""
        statement = text("DELETE FROM conversations WHERE owner = :owner AND id = :id")
        async with self._database.transaction() as connection:
            return (await connection.execute(statement, {"owner": owner, "id": conversation})).rowcount > 0

    async def forget_before(self, moment_ms: int, at_once: int = FORGOTTEN_AT_ONCE) -> int:
        """Delete what nobody has added to since `moment_ms`; returns how many conversations that were.

        The oldest go first, `at_once` in a transaction: what is deleted stays so when a later transaction fails.
        """
        # The age is asked for twice, for PostgreSQL looks again at a conversation that somebody adds to meanwhile.
        statement = text(
            "DELETE FROM conversations WHERE updated_ms < :moment AND (owner, id) IN"
            " (SELECT owner, id FROM conversations WHERE updated_ms < :moment ORDER BY updated_ms LIMIT :at_once)"
        )
        forgotten = 0
        while True:
            async with self._database.transaction() as connection:
                deleted = (await connection.execute(statement, {"moment": moment_ms, "at_once": at_once})).rowcount
            forgotten += deleted
            if deleted < at_once:
                return forgotten
            await asyncio.sleep(TURN_OF_OTHERS_SECONDS)

    async def has_trace(self, owner: str, trace_id: str) -> bool:
        """Whether `trace_id` is of an answer in one of the owner's conversations."""
        statement = text("SELECT 1 FROM turns WHERE trace_id = :trace_id AND owner = :owner")
        async with self._database.transaction() as connection:
            return (await connection.execute(statement, {"owner": owner, "trace_id": trace_id})).first() is not None
