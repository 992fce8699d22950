"""How fresh the serving generation is: whether its sources have changed since, and its age within the objective."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agents.knowledge.generation import Manifest
from agents.refresh_request import RefreshRequests


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
    """Asks for a refresh when one is due; no request waits for that."""

    def __init__(
        self,
        objective: timedelta | None,
        refresh: RefreshRequests | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._objective = objective
        self._refresh = refresh
        self._now = now

    def judge(self, manifest: Manifest) -> Freshness:
        """How fresh the generation is, by its age; asks for a refresh when it is stale."""
        as_of = manifest.created_at
        age = self._now() - as_of
        reason = None
        if self._objective is not None and age > self._objective:
            reason = f"its sources were not looked at for {described(age)}"
        if reason is not None and self._refresh is not None:
            self._refresh.ask(manifest.inputs_digest)
        return Freshness(as_of, round(age.total_seconds(), 3), reason is not None, reason)

    def note(self, freshness: Freshness) -> str | None:
        """What a reader has to know of a stale generation; None when it is fresh."""
        if not freshness.stale:
            return None
        age = described(timedelta(seconds=freshness.age_seconds))
        asked = "" if self._refresh is None else f"; {self._refresh.state}"
        return f"the knowledge base is {age} old, and {freshness.reason}{asked}"


def described(age: timedelta) -> str:
    """An age in the largest unit that fits, such as `3 days`."""
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := int(age.total_seconds() // seconds)) >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
