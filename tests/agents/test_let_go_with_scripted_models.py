"""What an answer held is let go when it ends, and does not wait for the garbage collector."""

import asyncio
import gc
from pathlib import Path

import anyio
import httpx
import pytest
from opentelemetry.trace import NoOpTracer

from agents.drafting import Draft
from agents.freshness import FreshnessWatch
from agents.gateway.client import ModelGateway
from agents.inquiry import Inquiry
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.store import Filters
from agents.knowledge.store.settings import LanceSettings
from agents.knowledge_base import KnowledgeBase
from agents.limits.budget import Budget
from agents.metrics import Metrics
from agents.rag import RagAgent
from agents.tracing.model_calls import ModelCalls
from tests.agents.conftest import KEY_VARIABLE, service_settings
from tests.agents.corpus_generation import IDENTITY, build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway, ThreadedServer

TURNS = 50
STOP = "What does make down stop?"


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


async def test_a_model_is_stopped_whose_reader_went_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sk-test")
    build_generation(tmp_path, "g1", corpus_chunks())
    scripted = ScriptedGateway(reply="It stops every process. And nothing else.", held_after=5)
    settings = service_settings(scripted.url, tmp_path)
    gateway = ModelGateway(settings.gateway, settings.models, 60, ModelCalls(NoOpTracer(), Metrics()))
    knowledge = KnowledgeBase(LanceSettings(tmp_path), FusionSettings("rrf", 0.5, 50), IDENTITY)
    budget = Budget(60, 2048, 0, 0)
    inquiry = Inquiry(STOP, Filters(), "0" * 32, budget)
    scripted.start()
    try:
        # As Starlette does, which cancels at every await from then on.
        with anyio.CancelScope() as reader:
            try:
                inquiry.retrieval = RagAgent(gateway, knowledge, FreshnessWatch(knowledge, None, None)).begin(STOP)
                assert (await inquiry.retrieval.passages(5, Filters())).passages
                inquiry.draft = Draft(gateway.stream_chat([{"role": "user", "content": STOP}], 16), budget)
                assert await inquiry.draft.next_sentence(60)
                reader.cancel()
                await anyio.sleep_forever()
            finally:
                await inquiry.close()
        assert reader.cancelled_caught
        assert await asyncio.to_thread(scripted.cancelled.wait, 60), "the inquiry is still held, and so is its draft"
        assert inquiry.draft is not None
    finally:
        scripted.stop()
        await gateway.close()
        await knowledge.close()
