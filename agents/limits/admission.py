"""Backpressure: so many answers at once, so many that wait, and a clear refusal for the rest."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agents.access.settings import Load


class Overloaded(Exception):
    """There is no place now; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Admission:
    """Gives out the places of `load`, first come, first served. `running` and `waiting` say how many there are."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._places = asyncio.Semaphore(load.answers)
        self.running = 0
        self.waiting = 0

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None]:
        """A place for the block.

        Raises:
            Overloaded: too many wait already, or none became free in time.
        """
        await self._wait()
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._places.release()

    async def _wait(self) -> None:
        seconds = self._load.wait_seconds
        if self._places.locked() and self.waiting >= self._load.waiting:
            raise Overloaded(f"the queue is full ({self.waiting} waiting); ask again later", math.ceil(seconds))
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise Overloaded(
                f"no place became free within {seconds:g} s; ask again later", math.ceil(seconds)
            ) from error
        finally:
            self.waiting -= 1
