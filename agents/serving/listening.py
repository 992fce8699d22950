"""How the service listens and stops: two versions may share one socket, and the one that goes loses no request."""

import asyncio
import os
import socket
import time
from pathlib import Path
from typing import Any

import uvicorn

LISTEN_FD_VARIABLE = "AGENTS_LISTEN_FD"
"""The descriptor of a listening socket that whoever starts the service opened, and keeps when the service ends."""
READY_FILE_VARIABLE = "AGENTS_READY_FILE"
"""A file that gets the process id once requests are accepted."""

PAUSE_SECONDS = 0.1
DRAIN_SECONDS = 10.0
"""A connection that is idle when the service is told to stop is closed then, when its client asked nothing more."""
IDLE_MARGIN_SECONDS = 15
"""A load balancer in front closes a connection that was idle for so much longer than an answer may take."""


def keep_alive_seconds(answer_seconds: float) -> int:
    """How long an idle connection is kept: longer than the load balancer keeps it.

    It would send the next request on a connection that is being closed, and answer 502. Source:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
    """
    return int(answer_seconds) + IDLE_MARGIN_SECONDS + 5


def inherited_sockets() -> list[socket.socket] | None:
    """The socket that AGENTS_LISTEN_FD names; None where the service opens its own."""
    descriptor = os.environ.get(LISTEN_FD_VARIABLE)
    return None if descriptor is None else [socket.socket(fileno=int(descriptor))]


def ready_file() -> Path | None:
    """The file that AGENTS_READY_FILE names."""
    path = os.environ.get(READY_FILE_VARIABLE)
    return Path(path) if path else None


class DrainingServer(uvicorn.Server):
    """Says when it accepts requests; told to stop, it first lets every kept-alive connection end at its client's pace.

    uvicorn alone closes idle connections at once, also those on which a request is just arriving.
    """

    def __init__(self, config: uvicorn.Config, announce: Path | None) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept requests, and say so."""
        await super().startup(sockets)
        if self.started and self._announce is not None:
            self._announce.write_text(str(os.getpid()), encoding="utf-8")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no connection, answer on the open ones and close each with its next answer; then stop as uvicorn."""
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        deadline = time.monotonic() + DRAIN_SECONDS
        # The loop has first to take over what was accepted last.
        await asyncio.sleep(PAUSE_SECONDS)
        while any(map(_is_idle, state.connections)) and time.monotonic() < deadline:
            await asyncio.sleep(PAUSE_SECONDS)
        await super().shutdown(sockets)


def _is_idle(connection: Any) -> bool:
    """Whether nothing is being answered on it: the next request may already be on its way."""
    return connection.cycle is None or connection.cycle.response_complete
