"""Connections that cost the service nothing: those that never finish, and those that nobody reads."""

import asyncio
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0
"""A client has so long for the head of a request, or for the rest of a body that nobody waits for.

uvicorn itself would wait for ever: every byte ends its wait for the next request, and only an answer begins another.
"""
UNREAD_SECONDS = 30
"""And so long it may read nothing of what was sent to it."""


class ImpatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 that closes a connection on which what the client began does not arrive in time."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._deadline: asyncio.TimerHandle | None = None
        self._message_ended = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes; no connection waits without a limit after them, whatever they are."""
        self._message_ended = False
        super().data_received(data)
        # A WebSocket has a protocol of its own, which has the connection now.
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        answering = bool(self.cycle) and not self.cycle.response_complete
        if answering or self._deadline is not None or self.timeout_keep_alive_task is not None:
            return
        if self._message_ended:
            # The rest of a body that was answered before it came: the client may use the connection again.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        else:
            self._set_deadline()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._set_deadline()

    def on_headers_complete(self) -> None:
        """All of its head."""
        self._cancel_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of its body."""
        self._message_ended = True
        self._cancel_deadline()
        super().on_message_complete()

    def _set_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def drop_unread(listener: socket.socket) -> None:
    """Let the kernel drop connections of `listener` whose clients do not read (Linux; elsewhere nothing is done).

    Accepted sockets inherit the option. Source: tcp(7), TCP_USER_TIMEOUT; RFC 5482.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
