"""How fresh the serving generation is: whether its sources have changed since, and its age within the objective."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agents.knowledge.change_record import ChangeRecord
from agents.knowledge.generation import Manifest
from agents.knowledge.search import EmbeddingMismatch
from agents.knowledge.store import StoreUnavailable
from agents.knowledge_base import KnowledgeBase, NoGeneration
from agents.refresh_request import RefreshRequests
from agents.serving.rounds import for_ever

READ_SECONDS = 5.0
"""Pause between two readings of the change record, which happen beside the requests."""


@dataclass(frozen=True)
class Freshness:
    """`as_of` is when the sources were last known to hold what the generation holds, `age_seconds` is since then.

    `stale` says that a refresh is due, and `reason` why.
    """

    as_of: datetime
    age_seconds: float
    stale: bool
    reason: str | None


class FreshnessWatch:
    """Keeps the change record at hand, and asks for a refresh when one is due. No request waits for either."""

    def __init__(
        self,
        knowledge: KnowledgeBase,
        objective: timedelta | None,
        refresh: RefreshRequests | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._knowledge = knowledge
        self._objective = objective
        self._refresh = refresh
        self._now = now
        self._record: ChangeRecord | None = None
        self.stale = False
        """Whether the generation that was looked at last was stale; False before the first look."""

    def judge(self, manifest: Manifest) -> Freshness:
        """How fresh the generation is, by the record that was read last; asks for a refresh when it is stale."""
        freshness = self._look_at(manifest)
        if freshness.stale and self._refresh is not None:
            self._refresh.ask(manifest.source_fingerprint if self._record is None else self._record.fingerprint)
        return freshness

    def _look_at(self, manifest: Manifest) -> Freshness:
        record, as_of, changed = self._record, manifest.created_at, False
        # A record from before the generation was made says nothing of it.
        if record is not None and record.seen_at > manifest.created_at:
            changed = not record.is_in(manifest)
            as_of = manifest.created_at if changed else record.seen_at
        age = self._now() - as_of
        reason = None
        if changed:
            reason = "its sources have changed since"
        elif self._objective is not None and age > self._objective:
            reason = "nobody has looked at its sources since"
        self.stale = reason is not None
        return Freshness(as_of, round(age.total_seconds(), 3), reason is not None, reason)

    def note(self, freshness: Freshness) -> str | None:
        """What a reader has to know of a stale generation; None when it is fresh."""
        if freshness.reason is None:
            return None
        age = described(timedelta(seconds=freshness.age_seconds))
        asked = "" if self._refresh is None else f"; {self._refresh.state}"
        return f"the knowledge base is {age} old, and {freshness.reason}{asked}"

    async def run(self) -> None:
        """Look again and again until cancelled.

        Without a question no refresh is asked for: the schedule refreshes in any case.
        """
        await for_ever("reading the change record", self.look, READ_SECONDS)

    async def look(self) -> None:
        """Read the change record, and note in `stale` whether what serves is."""
        try:
            self._record = await self._knowledge.last_change()
            self._look_at(await self._knowledge.serving())
        except StoreUnavailable as error:
            # What was read before still holds; that the store is away is told by its own probe.
            logging.getLogger(__name__).warning("the change record cannot be read: %s", error)
        except (NoGeneration, EmbeddingMismatch) as error:
            # No question is answered either, and each is told why.
            logging.getLogger(__name__).info("nothing serves that could be stale: %s", error)


def described(age: timedelta) -> str:
    """An age in the largest unit that fits, such as `3 days`."""
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := int(age.total_seconds() // seconds)) >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
