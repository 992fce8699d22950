"""However many notice that the knowledge is stale, one flow run starts; against a real Prefect server and store."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import stamina
from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Failed

from agents.freshness import FreshnessWatch
from agents.knowledge.change_record import record_change
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import Manifest
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings
from agents.knowledge_base import KnowledgeBase
from agents.metrics import Metrics
from agents.refresh_request import RefreshRequests
from agents.refresh_settings import Refresh
from tasks.runs.origin import started_by_tag, started_by_tags
from tests.agents.corpus_generation import IDENTITY, build_generation, corpus_chunks
from tests.ports import free_port

pytestmark = pytest.mark.prefect_server

HOUR = timedelta(hours=1)
MADE = datetime(2026, 1, 1, tzinfo=UTC)
REPLICAS, DETECTIONS = 10, 1000


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.seconds = (MADE + timedelta(minutes=5)).timestamp()

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A generation whose sources have changed since."""
    made = build_generation(tmp_path / "knowledge", "g1", corpus_chunks())
    store = open_store(LanceSettings(tmp_path / "knowledge"))
    record_change(store, {"file:///corpus/new.md": "1" * 64}, MADE + timedelta(minutes=1))
    store.close()
    return made


@pytest.fixture
def deployment(prefect_client: SyncPrefectClient) -> UUID:
    flow_id = prefect_client.create_flow_from_name("knowledge")
    return prefect_client.create_deployment(flow_id, "local", entrypoint="none.py:none")


@asynccontextmanager
async def replicas(directory: Path, api_url: str, clock: Clock) -> AsyncGenerator[list[FreshnessWatch]]:
    """Services that share a knowledge base, each with a watch that has read the change record."""
    bases = [KnowledgeBase(LanceSettings(directory), FusionSettings("rrf", 0.5, 50), IDENTITY) for _ in range(REPLICAS)]
    refresh = Refresh(api_url=api_url, deployment="knowledge/local")
    requests = [RefreshRequests(refresh, None, "local", HOUR, clock) for _ in bases]
    watches = [FreshnessWatch(base, None, request, clock.now) for base, request in zip(bases, requests, strict=True)]
    reading = [asyncio.create_task(watch.run()) for watch in watches]
    try:
        yield watches
    finally:
        for task in reading:
            task.cancel()
        for part in (*requests, *bases):
            await part.close()


async def detect(watches: list[FreshnessWatch], manifest: Manifest) -> None:
    """A thousand questions notice at once; waits until every replica was told that a refresh was asked for."""
    async for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.5):
        with attempt:
            assert all(watch.judge(manifest).reason == "its sources have changed since" for watch in watches)
    fresh = [watches[number % REPLICAS].judge(manifest) for number in range(DETECTIONS)]
    assert all(one.stale for one in fresh)
    async for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.5):
        with attempt:
            notes = [watch.note(watch.judge(manifest)) for watch in watches]
            assert all(note is not None and note.endswith("a refresh was asked for") for note in notes), notes


async def test_a_thousand_detections_start_one_run_a_window(
    prefect_server: str, prefect_client: SyncPrefectClient, deployment: UUID, manifest: Manifest, tmp_path: Path
) -> None:
    clock = Clock()
    async with replicas(tmp_path / "knowledge", prefect_server, clock) as watches:
        await detect(watches, manifest)
        (first,) = prefect_client.read_flow_runs()
        assert first.deployment_id == deployment
        assert (first.idempotency_key or "").startswith("local-")
        assert started_by_tags(first.tags) == [started_by_tag("agents")]

        prefect_client.set_flow_run_state(first.id, Failed(), force=True)
        clock.seconds += 60
        await detect(watches, manifest)
        assert len(prefect_client.read_flow_runs()) == 1

        clock.seconds += HOUR.total_seconds()
        await detect(watches, manifest)
        async for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.5):
            with attempt:
                assert len(prefect_client.read_flow_runs()) == 2


async def test_what_prefect_refuses_is_told(prefect_server: str, manifest: Manifest) -> None:
    clock = Clock()
    nowhere = Refresh(api_url=prefect_server, deployment="knowledge/nowhere")
    requests = RefreshRequests(nowhere, None, "local", HOUR, clock)
    requests.ask("f")
    await requests.settled()
    assert requests.state == "a refresh could not be asked for: Prefect answered 404 for 'knowledge/nowhere'"
    await requests.close()

    silent = Refresh(api_url=f"http://127.0.0.1:{free_port()}/api", deployment="knowledge/local")
    away = RefreshRequests(silent, None, "local", HOUR, clock)
    away.ask("f")
    await away.settled()
    assert "does not answer (ConnectError)" in away.state
    await away.close()


async def test_a_generation_is_fresh_when_its_sources_were_seen_unchanged(tmp_path: Path) -> None:
    made = build_generation(tmp_path / "knowledge", "g1", corpus_chunks())
    store = open_store(LanceSettings(tmp_path / "knowledge"))
    clock = Clock()
    base = KnowledgeBase(LanceSettings(tmp_path / "knowledge"), FusionSettings("rrf", 0.5, 50), IDENTITY)
    watch = FreshnessWatch(base, HOUR, None, clock.now)
    metrics = Metrics()
    metrics.watch_knowledge(watch)
    clock.seconds += 2 * HOUR.total_seconds()
    assert watch.judge(made).reason == "nobody has looked at its sources since"
    assert watch.note(watch.judge(made)) == (
        "the knowledge base is 2 hours old, and nobody has looked at its sources since"
    )
    assert "agents_knowledge_stale 1.0" in metrics.exposition(ready=True).decode()
    record_change(store, made.versions, clock.now())
    store.close()
    reading = asyncio.create_task(watch.run())
    async for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.5):
        with attempt:
            assert not watch.judge(made).stale
    assert watch.judge(made).as_of == clock.now()
    assert watch.note(watch.judge(made)) is None
    assert "agents_knowledge_stale 0.0" in metrics.exposition(ready=True).decode()
    # Nobody asks anything from here on.
    clock.seconds += 2 * HOUR.total_seconds()
    async for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.5):
        with attempt:
            assert "agents_knowledge_stale 1.0" in metrics.exposition(ready=True).decode()
    reading.cancel()
    await base.close()
