"""How long the event loop keeps what is due waiting: whatever blocks it delays every stream at once."""

import asyncio
import time
from collections.abc import Callable

PAUSE_SECONDS = 0.01
"""What blocks the loop is noticed when this has passed, so that it lasted so much longer at most than is told."""


async def watch_loop(observe: Callable[[float], None]) -> None:
    """Tell `observe`, until cancelled, by how many seconds the loop comes too late to what is due."""
    while True:
        # Not the loop's own clock: uvloop's stands still while something blocks it.
        began = time.perf_counter()
        await asyncio.sleep(PAUSE_SECONDS)
        observe(max(0.0, time.perf_counter() - began - PAUSE_SECONDS))
