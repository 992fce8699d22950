"""What an answer held is let go when it ends, and does not wait for the garbage collector."""

import asyncio
import gc
from pathlib import Path

import httpx
import pytest
from opentelemetry.trace import NoOpTracer

from agents.gateway.client import ModelGateway
from agents.metrics import Metrics
from agents.tracing.model_calls import ModelCalls
from tests.agents.conftest import KEY_VARIABLE, service_settings
from tests.agents.scripted_gateway import ScriptedGateway, ThreadedServer

TURNS = 50


async def test_a_models_stream_leaves_no_response_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-test")
    scripted = ScriptedGateway(reply="It stops every process.")
    server = ThreadedServer(scripted.application(), scripted.port)
    settings = service_settings(scripted.url, tmp_path)
    gateway = ModelGateway(settings.gateway, settings.models, 60, ModelCalls(NoOpTracer(), Metrics()))
    server.start()
    gc.collect()
    gc.disable()
    before = {id(held) for held in gc.get_objects() if isinstance(held, httpx.Response)}
    try:
        heard = [
            piece.text async for piece in gateway.stream_chat([{"role": "user", "content": "What does it stop?"}], 16)
        ]
        # Python closes the generators that openai left half-read in turns of the loop, one after another.
        for _ in range(TURNS):
            await asyncio.sleep(0)
        left = [held for held in gc.get_objects() if isinstance(held, httpx.Response) and id(held) not in before]
    finally:
        gc.enable()
        await gateway.close()
        server.stop()
    assert "".join(heard).startswith("It stops")
    assert left == []
