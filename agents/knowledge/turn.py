"""Whose turn it is to change what serves: that of the last who began; who began before it and is still at it gives up.

Prefect holds refreshes apart, but by a lease that is lost while its server is away, and on AWS the job of a refresh
outlives the run that started it: an operator may go back to another generation meanwhile.
"""

import secrets
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from agents.knowledge.refusal import RefreshRefused
from agents.knowledge.store import KnowledgeStore

NOTE = "turn"


class RefreshOvertaken(RefreshRefused):
    """Something else began to change what serves while this was under way; says what, and what to do."""


class Turn(BaseModel):
    """One who changes what serves, such as `a refresh`, since it began (UTC); `token` tells it from all others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str
    who: str
    since: datetime


def take_turn(store: KnowledgeStore, who: str, now: datetime) -> Turn:
    """Have the turn from now on, whoever had it before.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    turn = Turn(token=secrets.token_hex(8), who=who, since=now)
    store.write_note(NOTE, turn.model_dump_json())
    return turn


def require_turn(store: KnowledgeStore, turn: Turn) -> None:
    """Go on only while nobody has taken the turn.

    Raises:
        RefreshOvertaken: somebody has.
        StoreUnavailable: the store does not answer.
    """
    text = store.note(NOTE)
    last = turn if text is None else Turn.model_validate_json(text)
    if last.token == turn.token:
        return
    rows = tuple({"who": each.who, "began": each.since.isoformat(timespec="seconds")} for each in (turn, last))
    raise RefreshOvertaken(
        f"{last.who} began at {last.since:%H:%M:%S} UTC, while {turn.who} that began at {turn.since:%H:%M:%S} UTC was "
        "under way: that one gives up. Look at what serves now, and run knowledge again if it has to be newer",
        rows,
    )
