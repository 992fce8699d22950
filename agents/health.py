"""Whether everything that an answer needs is there, by the service's own probes in the background."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from agents.access.control import AccessControl, NotShared
from agents.gateway import GatewayUnavailable, ModelGateway
from agents.knowledge.search import EmbeddingMismatch
from agents.knowledge.store import StoreUnavailable
from agents.knowledge_base import KnowledgeBase, NoGeneration
from agents.settings import Models
from agents.state.database import StateUnavailable

CHAT_SECONDS = 30.0
"""A chat model that answered within this time is not asked again; its probe costs a model call."""

WEB_OFF = "no web search is configured; what the knowledge base does not hold is not answered"

MISSING = (GatewayUnavailable, StoreUnavailable, NoGeneration, EmbeddingMismatch, StateUnavailable, NotShared)
Probe = Callable[[], Awaitable[None]]

CheckName = Literal["embedding", "chat", "knowledge", "state", "shared_limits"]


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
    """Ready when all checks are; `generation` is the one that is served, `models` are named by their roles.

    Answers do not depend on the lesser checks. Without `state` no conversation is kept or shown; where callers sign in,
    nobody can without it, and it is no lesser one. Without `shared_limits` each replica counts requests for itself.
    """

    ready: bool
    checks: dict[CheckName, Check]
    lesser_checks: dict[CheckName, Check]
    web: WebRoute
    generation: str | None
    documents: int
    passages: int
    refreshed_at: str | None
    models: dict[Literal["chat", "embedding"], str]


class Health:
    """Runs the probes and keeps their last results."""

    def __init__(
        self,
        gateway: ModelGateway,
        knowledge: KnowledgeBase,
        models: Models,
        probe_seconds: float,
        access: AccessControl,
        *,
        web: bool,
    ) -> None:
        self._web = WebRoute(web, None if web else WEB_OFF)
        self._models = models
        self._gateway = gateway
        self._knowledge = knowledge
        self._pause = probe_seconds
        self._probes: dict[CheckName, Probe] = {
            "embedding": self._probe_embedding,
            "chat": self._probe_chat,
            "knowledge": self._probe_knowledge,
        }
        if access.database is not None:
            self._probes["state"] = access.database.check
        if access.counts is not None:
            self._probes["shared_limits"] = access.counts.check
        self._lesser: set[CheckName] = {"shared_limits"} if access.callers else {"shared_limits", "state"}
        self._checks: dict[CheckName, Check] = dict.fromkeys(self._probes, Check(False, "not probed yet"))
        self._generation: tuple[str, int, int, str] | None = None

    @property
    def readiness(self) -> Readiness:
        """What the probes last found."""
        generation, documents, passages, refreshed_at = self._generation or (None, 0, 0, None)
        checks = self._found(lesser=False)
        return Readiness(
            ready=all(check.ok for check in checks.values()),
            checks=checks,
            lesser_checks=self._found(lesser=True),
            web=self._web,
            generation=generation,
            documents=documents,
            passages=passages,
            refreshed_at=refreshed_at,
            models={"chat": self._models.reasoning.name, "embedding": self._knowledge.embedding.model},
        )

    def _found(self, *, lesser: bool) -> dict[CheckName, Check]:
        return {name: check for name, check in self._checks.items() if (name in self._lesser) is lesser}

    async def run(self) -> None:
        """Probe until cancelled. Each dependency has a loop of its own, so that a slow one delays no other."""
        try:
            async with asyncio.TaskGroup() as group:
                for name, probe in self._probes.items():
                    group.create_task(self._repeat(name, probe))
        finally:
            # What nobody probes any more is not known to be well.
            self._checks = dict.fromkeys(self._checks, Check(False, "the probes have stopped"))

    async def _repeat(self, name: CheckName, probe: Probe) -> None:
        while True:
            try:
                await probe()
                self._checks[name] = Check(True, None)
            except MISSING as error:
                self._checks[name] = Check(False, str(error))
            await asyncio.sleep(self._pause)

    async def _probe_embedding(self) -> None:
        await self._gateway.embed("ready?", self._knowledge.embedding, probing=True)

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
