"""How often a caller may ask: the generic cell rate algorithm, in this process or for all replicas in Valkey.

A caller has one number, the moment at which all that it asked so far would have come at the allowed rate. A request
may come up to `burst` intervals ahead of it. Source: ITU-T I.371 (2004), annex A.1, the virtual scheduling algorithm.
"""

import logging
import math
import time
from dataclasses import dataclass
from typing import Protocol, cast

from cachetools import TLRUCache
from redis.asyncio import Redis
from redis.exceptions import RedisError

MOST_CALLERS = 100_000
AWAY_SECONDS = 1.0
"""So long nobody asks a Valkey that failed: a request does not wait for it every time."""

# The server's clock counts, so that clocks of replicas may differ. Microseconds; numbers stay exact in doubles.
SCRIPT = """
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), at)
local early = due - at - interval * (burst - 1)
if early > 0 then return math.ceil(early) end
due = due + interval
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - at) / 1000) + 1)
return 0
"""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rate:
    """`burst` requests at once, and one more each `interval_seconds`."""

    interval_seconds: float
    burst: int


class RateLimit(Protocol):
    """Counts requests of callers."""

    async def wait(self, caller: str) -> float:
        """Count a request of `caller`: 0 when it may come, otherwise after how many seconds it may."""
        ...


class LocalRateLimit:
    """Counts in this process."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._due: TLRUCache[str, float] = TLRUCache(MOST_CALLERS, lambda _, due, __: due, time.monotonic)

    async def wait(self, caller: str) -> float:
        """See `RateLimit.wait`."""
        now = time.monotonic()
        due = max(self._due.get(caller, now), now)
        early = due - now - self._rate.interval_seconds * (self._rate.burst - 1)
        if early > 0:
            return early
        self._due[caller] = due + self._rate.interval_seconds
        return 0


class SharedRateLimit:
    """Counts in Valkey, for all replicas; while it is away, each replica counts for itself."""

    def __init__(self, valkey: Redis, rate: Rate, name: str) -> None:
        self._valkey = valkey
        self._script = valkey.register_script(SCRIPT)
        self._rate = rate
        self._name = name
        self._alone = LocalRateLimit(rate)
        self._away_until = -math.inf

    async def wait(self, caller: str) -> float:
        """See `RateLimit.wait`."""
        if time.monotonic() < self._away_until:
            return await self._alone.wait(caller)
        interval = round(self._rate.interval_seconds * 1_000_000)
        try:
            microseconds = await self._script(keys=[f"{self._name}:rate:{caller}"], args=[interval, self._rate.burst])
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            _log.warning("Valkey failed, this replica counts requests for itself: %s", error)
            return await self._alone.wait(caller)
        return cast(int, microseconds) / 1_000_000
