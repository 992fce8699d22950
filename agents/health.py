"""Whether everything that an answer needs is there, by the service's own probes in the background."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from agents.gateway import GatewayUnavailable, ModelGateway
from agents.knowledge.search import EmbeddingMismatch
from agents.knowledge.store import StoreUnavailable
from agents.knowledge_base import KnowledgeBase, NoGeneration
from agents.settings import Models

CHAT_SECONDS = 30.0
"""A chat model that answered within this time is not asked again; its probe costs a model call."""

WEB_OFF = "no web search is configured; what the knowledge base does not hold is not answered"

CheckName = Literal["embedding", "chat", "knowledge"]


@dataclass(frozen=True)
class Check:
    """The last word on one dependency; `reason` says what is missing when `ok` is false."""

    ok: bool
    reason: str | None


@dataclass(frozen=True)
class WebRoute:
    """Whether the web is asked what the knowledge base does not hold; answers do not depend on it."""

    on: bool
    reason: str | None


@dataclass(frozen=True)
class Readiness:
    """Ready when all checks are; `generation` is the one that is served, `models` are named by their roles."""

    ready: bool
    checks: dict[CheckName, Check]
    web: WebRoute
    generation: str | None
    documents: int
    passages: int
    refreshed_at: str | None
    models: dict[Literal["chat", "embedding"], str]


class Health:
    """Runs the probes and keeps their last results."""

    def __init__(
        self, gateway: ModelGateway, knowledge: KnowledgeBase, models: Models, probe_seconds: float, *, web: bool
    ) -> None:
        self._web = WebRoute(web, None if web else WEB_OFF)
        self._models = models
        self._gateway = gateway
        self._knowledge = knowledge
        self._pause = probe_seconds
        waiting = Check(False, "not probed yet")
        self._checks: dict[CheckName, Check] = {"embedding": waiting, "chat": waiting, "knowledge": waiting}
        self._generation: tuple[str, int, int, str] | None = None

    @property
    def readiness(self) -> Readiness:
        """What the probes last found."""
        generation, documents, passages, refreshed_at = self._generation or (None, 0, 0, None)
        ready = all(check.ok for check in self._checks.values())
        return Readiness(
            ready=ready,
            checks=dict(self._checks),
            web=self._web,
            generation=generation,
            documents=documents,
            passages=passages,
            refreshed_at=refreshed_at,
            models={"chat": self._models.reasoning.name, "embedding": self._models.embedding.name},
        )

    async def run(self) -> None:
        """Probe until cancelled. Each dependency has a loop of its own, so that a slow one delays no other."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._repeat("embedding", self._probe_embedding))
                group.create_task(self._repeat("chat", self._probe_chat))
                group.create_task(self._repeat("knowledge", self._probe_knowledge))
        finally:
            # What nobody probes any more is not known to be well.
            self._checks = dict.fromkeys(self._checks, Check(False, "the probes have stopped"))

    async def _repeat(self, name: CheckName, probe: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await probe()
                self._checks[name] = Check(True, None)
            except (GatewayUnavailable, StoreUnavailable, NoGeneration, EmbeddingMismatch) as error:
                self._checks[name] = Check(False, str(error))
            await asyncio.sleep(self._pause)

    async def _probe_embedding(self) -> None:
        await self._gateway.embed("ready?", probing=True)

    async def _probe_chat(self) -> None:
        answered = self._gateway.last_chat
        if self._checks["chat"].ok and answered is not None and time.monotonic() - answered < CHAT_SECONDS:
            return
        async with aclosing(self._gateway.stream_chat([{"role": "user", "content": "Hi"}], 1, probing=True)) as pieces:
            async for _ in pieces:
                pass

    async def _probe_knowledge(self) -> None:
        self._generation = None
        manifest = await self._knowledge.serving()
        held = sum(1 for record in manifest.documents.values() if record.content_hash is not None)
        refreshed_at = manifest.created_at.isoformat()
        self._generation = (manifest.generation, held, manifest.chunk_count, refreshed_at)
