"""A gateway that gets no processor for a while: its machine lets callers wait until it takes their connections."""

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
import uvicorn
from opentelemetry.trace import NoOpTracer

from agents.gateway.client import CONNECT_SECONDS, ModelGateway
from agents.metrics import Metrics
from agents.tracing.model_calls import ModelCalls
from tests.agents.conftest import KEY_VARIABLE, service_settings
from tests.agents.corpus_generation import IDENTITY
from tests.agents.scripted_gateway import DIMENSION, ScriptedGateway


@pytest.fixture
def full() -> Generator[socket.socket]:
    """A listener whose queue is full, so that the kernel answers no new caller."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        while (caller := _connected(listener, 0.5)) is not None:
            stack.enter_context(caller)
        yield listener


def _connected(listener: socket.socket, seconds: float) -> socket.socket | None:
    try:
        return socket.create_connection(listener.getsockname(), timeout=seconds)
    except TimeoutError:
        return None


async def test_a_call_that_found_the_gateway_busy_is_made_again(
    full: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-test")
    scripted = ScriptedGateway(port=full.getsockname()[1])
    server = uvicorn.Server(uvicorn.Config(scripted.application(), log_config=None, timeout_graceful_shutdown=1))

    def serve_late() -> None:
        # Whoever began to connect before this has given up once.
        assert _connected(full, CONNECT_SECONDS) is None
        server.run([full])

    settings = service_settings(scripted.url, tmp_path)
    gateway = ModelGateway(settings.gateway, settings.models, 60, ModelCalls(NoOpTracer(), Metrics()))
    asking = asyncio.create_task(gateway.embed("What does make down stop?", IDENTITY))
    await asyncio.sleep(0)
    serving = threading.Thread(target=serve_late)
    serving.start()
    try:
        assert len(await asking) == DIMENSION
    finally:
        server.should_exit = True
        await asyncio.to_thread(serving.join)
        await gateway.close()
