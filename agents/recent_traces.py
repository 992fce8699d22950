"""The answers that this process gave lately, which people may rate, and how they were rated."""

import time
from typing import Literal

from cachetools import TTLCache

Rating = Literal["up", "down"]

KEPT = 50_000
"""Trace ids, about 10 MiB."""
KEPT_SECONDS = 24 * 3600.0


class RecentTraces:
    """Trace ids of the last day, the newest `KEPT` of them, and the last rating of each."""

    def __init__(self) -> None:
        self._ids: TTLCache[str, None] = TTLCache(KEPT, KEPT_SECONDS, timer=time.monotonic)
        self._ratings: TTLCache[str, Rating] = TTLCache(KEPT, KEPT_SECONDS, timer=time.monotonic)

    def add(self, trace_id: str) -> None:
        """Remember a question that is being answered."""
        self._ids[trace_id] = None

    def __contains__(self, trace_id: str) -> bool:
        """Whether it was asked here lately."""
        return trace_id in self._ids

    def rate(self, trace_id: str, rating: Rating) -> bool:
        """Remember how an answer was rated; whether that is not how it was rated before."""
        changed = self._ratings.get(trace_id) != rating
        self._ratings[trace_id] = rating
        return changed
