"""Refuses the requests of callers who ask too often, as plain ASGI."""

import math

from starlette.types import ASGIApp, Receive, Scope, Send

from agents.access.policy import opening_scopes
from agents.access.rate_limit import RateLimit
from agents.errors import error_response


class Limiting:
    """Counts every request to a path that is not open."""

    def __init__(self, app: ASGIApp, limit: RateLimit) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or not opening_scopes(scope["path"]):
            await self._app(scope, receive, send)
            return
        caller = scope["state"]["caller"]
        seconds = await self._limit.wait(caller.id)
        if seconds <= 0:
            await self._app(scope, receive, send)
            return
        wait = math.ceil(seconds)
        message = f"rate limit exceeded for {caller.id!r}; retry in {wait} s"
        response = error_response(429, message, "rate_limit_exceeded")
        response.headers["retry-after"] = str(wait)
        await response(scope, receive, send)
