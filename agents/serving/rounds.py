"""Work that goes on beside the requests, round after round, for as long as the service runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

_log = logging.getLogger(__name__)


async def for_ever(what: str, work: Callable[[], Awaitable[None]], pause_seconds: float) -> NoReturn:
    """Do `work` until cancelled, with a pause after each round; `what` names it in the log when a round fails."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - nobody would begin it anew: the unforeseen may cost one round, not all of them
            _log.exception("%s failed; it is done again in %g s", what, pause_seconds)
        await asyncio.sleep(pause_seconds)
