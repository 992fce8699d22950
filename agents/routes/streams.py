"""Event streams over HTTP, and work that ends when its caller goes away."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from agents.events import Event, KnowledgeVerified, StateEntered

Result = TypeVar("Result")


class EventStream(StreamingResponse):
    """Server-sent events from a generator, which is closed when the client is gone."""

    def __init__(self, lines: AsyncGenerator[str]) -> None:
        super().__init__(
            lines,
            media_type="text/event-stream",
            # Proxies such as nginx hold streams back unless they are told not to.
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._lines.aclose()


async def begun(events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The same events, once retrieval has succeeded; until then errors are raised here, before any byte is sent."""
    first: list[Event] = []
    while not first or isinstance(first[-1], StateEntered | KnowledgeVerified):
        first.append(await anext(events))

    async def continued() -> AsyncGenerator[Event]:
        try:
            for event in first:
                yield event
            async for event in events:
                yield event
        finally:
            await events.aclose()

    return continued()


async def while_connected(request: Request, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """The result of `work`, which is cancelled when the client of `request` goes away.

    Raises:
        ClientDisconnect: the client went away.
    """
    working = asyncio.create_task(work())
    watching = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
