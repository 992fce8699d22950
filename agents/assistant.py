"""The parts of the running service, put together from its settings."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from agents.events import Done, Event, SentenceDropped, SentenceReleased
from agents.gateway import ModelGateway
from agents.health import Health
from agents.knowledge.store import Filters
from agents.knowledge_base import KnowledgeBase
from agents.metrics import Metrics
from agents.orchestrator import Orchestrator
from agents.rag import RagAgent
from agents.settings import Settings


@dataclass(frozen=True)
class Assistant:
    """What the routes work with."""

    settings: Settings
    gateway: ModelGateway
    knowledge: KnowledgeBase
    rag: RagAgent
    orchestrator: Orchestrator
    health: Health
    metrics: Metrics

    async def answer(self, question: str, filters: Filters, trace_id: str) -> AsyncGenerator[Event]:
        """The events of answering an accepted question, counted in the metrics; raises as the orchestrator does."""
        began, silent = time.perf_counter(), True
        async with aclosing(self.orchestrator.answer(question, filters, trace_id)) as events:
            async for event in events:
                if isinstance(event, SentenceReleased) and silent:
                    silent = False
                    self.metrics.first_sentence_seconds.observe(time.perf_counter() - began)
                elif isinstance(event, SentenceDropped):
                    self.metrics.dropped.inc()
                elif isinstance(event, Done):
                    self.metrics.record(event.answer)
                yield event

    async def close(self) -> None:
        """Release connections."""
        await self.gateway.close()
        await self.knowledge.close()


def assemble(settings: Settings) -> Assistant:
    """Put the parts together; nothing is connected yet."""
    limits = settings.limits
    gateway = ModelGateway(settings.gateway, settings.models, limits.answer_seconds)
    knowledge = KnowledgeBase(
        settings.store.opened_with(), settings.fusion.fused_with(), settings.models.embedding.identity
    )
    rag = RagAgent(gateway, knowledge)
    return Assistant(
        settings=settings,
        gateway=gateway,
        knowledge=knowledge,
        rag=rag,
        orchestrator=Orchestrator(rag, gateway, settings.models, limits),
        health=Health(gateway, knowledge, settings.models, settings.probe_seconds),
        metrics=Metrics(),
    )


def _of(request: Request) -> Assistant:
    return request.app.state.assistant


def _trace_id(request: Request) -> str:
    return request.state.trace_id


CurrentAssistant = Annotated[Assistant, Depends(_of)]
TraceId = Annotated[str, Depends(_trace_id)]
