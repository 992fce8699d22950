"""The service signs in to ElastiCache with its own AWS identity, which may not be there or may not come."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import stamina
from redis.asyncio import Redis

from agents.access.rate_limit import Rate, SharedRateLimit
from agents.access.settings import ElastiCache, Valkey
from agents.access.valkey import open_valkey

RATE = Rate(interval_seconds=600, burst=1)


@asynccontextmanager
async def silent_server() -> AsyncGenerator[int]:
    """A server that takes connections and says nothing; yields its port."""
    connected: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in connected:
            writer.close()


@asynccontextmanager
async def cache() -> AsyncGenerator[Redis]:
    """A client of a cache that asks for the identity of whoever connects."""
    async with silent_server() as port:
        identity = ElastiCache(name="agentic-eks-dev", region="us-east-1")
        client = open_valkey(Valkey(host="127.0.0.1", port=port, tls=False, user="agents", elasticache=identity))
        yield client
        await client.aclose()


async def counts_alone(caplog: pytest.LogCaptureFixture, because: str) -> None:
    """Requests are counted all the same, and the log says in the end that they are not shared `because` of this.

    No request waits for long: on a busy machine what was found out in time may first be something else.
    """
    caplog.set_level(logging.WARNING)
    async with cache() as client:
        async for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=1):
            with attempt:
                limit = SharedRateLimit(client, RATE, "dev")
                assert await limit.wait("ada") == 0
                assert await limit.wait("ada") > 0
                logged = [one.getMessage() for one in caplog.records if one.name == "agents.access.rate_limit"]
                assert any(because in message for message in logged), logged


async def test_without_aws_credentials_the_replica_counts_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    await counts_alone(caplog, "(nobody) could not be found")


async def test_aws_credentials_that_do_not_come_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with silent_server() as port:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{port}/credentials")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
        await counts_alone(caplog, "AWS gave no credentials within")
