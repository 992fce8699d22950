"""A real Valkey (or Redis) server for the tests, on a free loopback port, without anything on disk."""

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import redis
import stamina

from tests.ports import free_port

PROGRAMS = ("valkey-server", "redis-server")
READY_WITHIN_SECONDS = 180


def why_valkey_cannot_run() -> str | None:
    """What this machine lacks for a server of its own; None when nothing."""
    return None if _program() else f"none of {PROGRAMS!r} is on PATH"


@contextmanager
def running_valkey(port: int | None = None) -> Generator[int]:
    """Run an empty server; yields its port."""
    program, port = _program(), port or free_port()
    assert program is not None, why_valkey_cannot_run()
    server = subprocess.Popen(
        [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port) as client:
            for attempt in stamina.retry_context(
                on=redis.ConnectionError, timeout=READY_WITHIN_SECONDS, attempts=None, wait_max=0.2
            ):
                with attempt:
                    client.ping()
        yield port
    finally:
        server.terminate()
        server.wait(timeout=90)


def _program() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
