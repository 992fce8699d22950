"""How many tokens a caller may use in a day, over all replicas."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing

from agents.caller import Caller
from agents.events import Event
from agents.limits.budget import Budget
from agents.state.database import StateUnavailable
from agents.state.usage import Usage, seconds_to_tomorrow, today

_log = logging.getLogger(__name__)


class AllowanceSpent(Exception):
    """What is left of the caller's tokens does not suffice; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Allowance:
    """Reserves `most_per_answer` tokens before an answer, and gives back afterwards what it did not use.

    A search costs what it takes to embed its query, which is known before.

    Tokens are those of all model calls: of the question that is embedded, of every draft, and of the judge.
    """

    def __init__(self, usage: Usage, per_day: int, most_per_answer: int) -> None:
        self._usage = usage
        self._per_day = per_day
        self._most = min(most_per_answer, per_day)
        self._settling: set[asyncio.Task[None]] = set()

    async def metered(self, caller: Caller, budget: Budget, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        """The same events, which `budget` is spent on, at the expense of `caller`.

        Raises:
            AllowanceSpent: too little is left of today's tokens.
            StateUnavailable: nobody knows how much is left.
        """
        # A task of its own: a cancelled one may have charged the caller already, and would not say so.
        reserving = asyncio.create_task(self._reserve(caller, self._most))
        try:
            day = await asyncio.shield(reserving)
        except asyncio.CancelledError:
            self._hold(self._give_all_back(caller.id, reserving))
            raise
        try:
            async with aclosing(events):
                async for event in events:
                    yield event
        finally:
            self._settle(caller.id, day, budget.spent - self._most)

    async def charge(self, caller: Caller, tokens: int) -> None:
        """Take `tokens`, which are about to be used, off what `caller` has today; raises as `metered` does."""
        await self._reserve(caller, tokens)

    async def settled(self) -> None:
        """Return when everything is given back."""
        await asyncio.gather(*self._settling)

    async def _reserve(self, caller: Caller, tokens: int) -> str:
        """The day that they come off."""
        day = today()
        if not await self._usage.reserve(caller.id, day, tokens, self._per_day):
            message = f"{caller.id!r} has too little left of its {self._per_day} tokens a day; they are counted in UTC"
            raise AllowanceSpent(message, seconds_to_tomorrow())
        return day

    def _settle(self, caller: str, day: str, difference: int) -> None:
        self._hold(self._give_back(caller, day, difference))

    def _hold(self, settling: Coroutine[None, None, None]) -> None:
        # A task of its own: a request whose client went away is cancelled at every await.
        task = asyncio.create_task(settling)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _give_all_back(self, caller: str, reserving: asyncio.Task[str]) -> None:
        try:
            day = await reserving
        except (AllowanceSpent, StateUnavailable):
            return  # nothing was taken, and nobody is there any more to be told
        await self._give_back(caller, day, -self._most)

    async def _give_back(self, caller: str, day: str, difference: int) -> None:
        try:
            await self._usage.settle(caller, day, difference)
        except StateUnavailable as error:
            _log.warning("%r stays charged for %d tokens that it did not use: %s", caller, -difference, error)
