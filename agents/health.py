"""Whether everything that an answer needs is there, by the service's own probes in the background."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Literal

from agents.access.control import AccessControl, NotShared
from agents.errors import MISSING
from agents.gateway.client import ModelGateway
from agents.knowledge_base import KnowledgeBase
from agents.serving.rounds import for_ever
from agents.settings import Models
from agents.tracing.service_tracing import TracesLost, Tracing
from agents.web_search.client import WebSearch, WebSearchUnavailable

REASONING_SECONDS = 30.0
"""A reasoning model that answered within this time is not asked again; its probe costs a model call."""

WEB_OFF = "no web search is configured; what the knowledge base does not hold is not answered"

FORESEEN = (*MISSING, NotShared, TracesLost, WebSearchUnavailable)
"""What a probe may find; the message of each says what is missing."""

Probe = Callable[[], Awaitable[None]]

CheckName = Literal["embedding", "reasoning", "knowledge", "state", "shared_limits", "traces"]
ProbeName = CheckName | Literal["web"]


@dataclass(frozen=True)
class Check:
    """The last word on one dependency; `reason` says what is missing when `ok` is false."""

    ok: bool
    reason: str | None


@dataclass(frozen=True)
class WebRoute:
    """Whether the web can be asked what the knowledge base does not hold, and why not; no answer depends on it."""

    on: bool
    reason: str | None


@dataclass(frozen=True)
class Readiness:
    """Ready when all checks are; `generation` is the one that is served, `models` are named by their roles.

    Answers do not depend on the lesser checks. Without `state` no conversation is kept or shown; where callers sign in,
    nobody can without it, and it is no lesser one. Without `shared_limits` each replica counts requests for itself,
    without `traces` Langfuse gets none.
    """

    ready: bool
    checks: dict[CheckName, Check]
    lesser_checks: dict[CheckName, Check]
    web: WebRoute
    generation: str | None
    documents: int
    passages: int
    refreshed_at: str | None
    models: dict[Literal["reasoning", "embedding"], str]


class Health:
    """Runs the probes and keeps their last results."""

    def __init__(
        self,
        gateway: ModelGateway,
        knowledge: KnowledgeBase,
        models: Models,
        probe_seconds: float,
        access: AccessControl,
        web: WebSearch | None,
        tracing: Tracing,
    ) -> None:
        self._models = models
        self._gateway = gateway
        self._knowledge = knowledge
        self._pause = probe_seconds
        self._probes: dict[ProbeName, Probe] = {
            "embedding": self._probe_embedding,
            "reasoning": self._probe_reasoning,
            "knowledge": self._probe_knowledge,
        }
        if access.database is not None:
            self._probes["state"] = access.database.check
        if access.counts is not None:
            self._probes["shared_limits"] = access.counts.check
        if tracing.is_on:
            self._probes["traces"] = tracing.check
        if web is not None:
            self._probes["web"] = web.check
        self._lesser: set[CheckName] = {"shared_limits", "traces"}
        if not access.callers:
            self._lesser.add("state")
        self._checks: dict[ProbeName, Check] = dict.fromkeys(self._probes, Check(False, "not probed yet"))
        self._generation: tuple[str, int, int, str] | None = None

    @property
    def readiness(self) -> Readiness:
        """What the probes last found."""
        served = self._generation if self._checks["knowledge"].ok else None
        generation, documents, passages, refreshed_at = served or (None, 0, 0, None)
        checks = self._found(lesser=False)
        web = self._checks.get("web", Check(False, WEB_OFF))
        return Readiness(
            ready=all(check.ok for check in checks.values()),
            checks=checks,
            lesser_checks=self._found(lesser=True),
            web=WebRoute(web.ok, web.reason),
            generation=generation,
            documents=documents,
            passages=passages,
            refreshed_at=refreshed_at,
            models={"reasoning": self._models.reasoning.name, "embedding": self._knowledge.embedding.model},
        )

    def _found(self, *, lesser: bool) -> dict[CheckName, Check]:
        found = self._checks.items()
        return {name: check for name, check in found if name != "web" and (name in self._lesser) is lesser}

    async def run(self) -> None:
        """Probe until cancelled. Each dependency has a loop of its own, so that a slow one delays no other."""
        try:
            async with asyncio.TaskGroup() as group:
                for name, probe in self._probes.items():
                    group.create_task(for_ever(f"the probe {name!r}", partial(self._look, name, probe), self._pause))
        finally:
            # What nobody probes any more is not known to be well.
            self._checks = dict.fromkeys(self._checks, Check(False, "the probes have stopped"))

    async def _look(self, name: ProbeName, probe: Probe) -> None:
        try:
            await probe()
        except FORESEEN as error:
            self._checks[name] = Check(False, str(error))
        except Exception as error:
            # Anybody may read the reason; what an error says that nobody foresaw is for the log.
            self._checks[name] = Check(False, f"the probe failed, and the log says why ({type(error).__name__})")
            raise
        else:
            self._checks[name] = Check(True, None)

    async def _probe_embedding(self) -> None:
        await self._gateway.embed("ready?", self._knowledge.embedding, probing=True)

    async def _probe_reasoning(self) -> None:
        answered = self._gateway.last_chat
        if self._checks["reasoning"].ok and answered is not None and time.monotonic() - answered < REASONING_SECONDS:
            return
        async with aclosing(self._gateway.stream_chat([{"role": "user", "content": "Hi"}], 1, probing=True)) as pieces:
            async for _ in pieces:
                pass

    async def _probe_knowledge(self) -> None:
        manifest = await self._knowledge.serving()
        held = sum(1 for record in manifest.documents.values() if record.content_hash is not None)
        refreshed_at = manifest.created_at.isoformat()
        self._generation = (manifest.generation, held, manifest.chunk_count, refreshed_at)
