"""Connections that cost the service nothing: those that never finish, and those that nobody reads."""

import asyncio
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0
"""A client has so long for the head of a request; uvicorn itself would wait for ever."""
UNREAD_SECONDS = 30
"""And so long it may read nothing of what was sent to it."""


class ImpatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 that closes a connection on which the head of a request does not arrive in time."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._head_is_there()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """All of its head."""
        self._head_is_there()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _head_is_there(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def drop_unread(listener: socket.socket) -> None:
    """Let the kernel drop connections of `listener` whose clients do not read (Linux; elsewhere nothing is done).

    Accepted sockets inherit the option. Source: tcp(7), TCP_USER_TIMEOUT; RFC 5482.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
