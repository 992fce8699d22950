"""What every request passes through, as plain ASGI: a stream is never buffered on its way out."""

import asyncio
import contextlib
import time
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agents.access.policy import known_path
from agents.errors import error_response
from agents.metrics import Metrics

DRAINED_BYTES = 8 * 1024 * 1024
"""A refused body is read up to here and thrown away, so that the client gets to read the refusal."""
DRAINED_SECONDS = 2.0
"""And for so long."""
BODY_SECONDS = 30.0
"""A client has so long to send its body; the limit keeps slow ones from holding connections for ever."""

_SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


_HTTPS_ONLY = {"strict-transport-security": "max-age=31536000"}
"""A year. Browsers ignore it where it does not come over https."""


class Observation:
    """Gives every request a trace id, sets the security headers, and measures."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        trace_id = token_hex(16)
        scope.setdefault("state", {})["trace_id"] = trace_id
        # A load balancer ends https, and says so.
        came_by_https = "https" in (scope["scheme"], Headers(scope=scope).get("x-forwarded-proto"))

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(_SECURITY_HEADERS)
                headers["x-trace-id"] = trace_id
                if came_by_https:
                    headers.update(_HTTPS_ONLY)
                if headers.get("content-type", "").startswith("application/json"):
                    # Answers and conversations are their caller's, and what is ready now may not be in a moment.
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            # Whoever is refused on the way to a route is counted there; how long refusals take says nothing of it.
            route = getattr(scope.get("route"), "path", None)
            self._metrics.requests.labels(route or known_path(scope["path"]) or "none", status).inc()
            self._metrics.request_seconds.labels(route or "none").observe(time.perf_counter() - began)


class BodyLimit:
    """Refuses bodies before any of it is interpreted.

    They are longer than `most_bytes` (413), not UTF-8 (400), or not there after `body_seconds` (408).
    """

    def __init__(self, app: ASGIApp, most_bytes: int, body_seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._most = most_bytes
        self._seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] not in {"POST", "PUT", "PATCH"}:
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        try:
            async with asyncio.timeout(self._seconds):
                body = None if announced.isdecimal() and int(announced) > self._most else await self._read(receive)
        except TimeoutError:
            message = f"the request did not arrive within {self._seconds:g} s"
            await _close(error_response(408, message, "timeout"), scope, receive, send)
            return
        if body is None:
            await _drain(receive)
            message = f"the request is longer than {self._most} bytes"
            await _close(error_response(413, message, "too_large"), scope, receive, send)
            return
        try:
            body.decode()
        except UnicodeDecodeError as error:
            refusal = error_response(400, f"the request is not UTF-8: {error.reason} at byte {error.start}", "encoding")
            await refusal(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._most:
                return None
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return bytes(body)


async def _close(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    response.headers["connection"] = "close"
    await response(scope, receive, send)


async def _drain(receive: Receive) -> None:
    drained = 0
    with contextlib.suppress(TimeoutError):  # what has not come by then is not waited for
        async with asyncio.timeout(DRAINED_SECONDS):
            while drained < DRAINED_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
