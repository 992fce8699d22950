"""The parts of the running service, put together from its settings."""

import os
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from agents.access.control import AccessControl, assemble_access
from agents.caller import Caller
from agents.evaluation.evaluator import Evaluator
from agents.evaluation.judge import TASKS, Judge
from agents.events import Done, Event, SentenceDropped, SentenceReleased
from agents.freshness import FreshnessWatch
from agents.gateway.client import ModelGateway
from agents.guards.output_guard import OutputGuard
from agents.health import Health
from agents.knowledge.store import Filters
from agents.knowledge_base import KnowledgeBase
from agents.limits.admission import Admission
from agents.limits.allowance import Allowance
from agents.metrics import Metrics
from agents.orchestrator import Orchestrator
from agents.prompt import INSTRUCTIONS
from agents.rag import RagAgent
from agents.recent_traces import RecentTraces
from agents.refresh_request import RefreshRequests
from agents.refresh_settings import prefect_authorization
from agents.settings import RELEASE_VARIABLE, Settings, gateway_key
from agents.state.usage import Usage
from agents.steps.composing import Composing
from agents.steps.retrieving import Retrieving
from agents.steps.web import SearchingWeb
from agents.tracing.retrieval import TracedKnowledgeBase
from agents.tracing.service_tracing import Tracing
from agents.tracing.web import TracedWebSearch
from agents.web_search.client import WebSearch


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
    watch: FreshnessWatch
    refresh: RefreshRequests | None
    web: WebSearch | None
    access: AccessControl
    admission: Admission
    allowance: Allowance | None
    tracing: Tracing
    recent: RecentTraces

    async def answer(
        self, question: str, filters: Filters, trace_id: str, caller: Caller, conversation: str | None = None
    ) -> AsyncGenerator[Event]:
        """The events of answering an accepted question, counted in the metrics; raises as the orchestrator does.

        Raises:
            Overloaded: there is no place for another answer.
            AllowanceSpent, StateUnavailable: the caller has used up its tokens, or nobody knows whether it has.
        """
        began, silent = time.perf_counter(), True
        self.recent.add(trace_id)
        async with (
            self.admission.place(),
            aclosing(self._answering(question, filters, trace_id, caller, conversation)) as events,
        ):
            async for event in events:
                if isinstance(event, SentenceReleased) and silent:
                    silent = False
                    self.metrics.first_sentence_seconds.observe(time.perf_counter() - began)
                elif isinstance(event, SentenceDropped):
                    self.metrics.dropped.inc()
                elif isinstance(event, Done):
                    self.metrics.record(event.answer)
                    self.tracing.score_answer(event.answer)
                yield event

    def _answering(
        self, question: str, filters: Filters, trace_id: str, caller: Caller, conversation: str | None
    ) -> AsyncGenerator[Event]:
        """The orchestrator's events, at the expense of the caller and traced; the time for them begins now."""
        budget = self.orchestrator.budget()
        events = self.orchestrator.answer(question, filters, trace_id, budget)
        if self.allowance is not None:
            events = self.allowance.metered(caller, budget, events)
        return self.tracing.follow(question, trace_id, caller, conversation, events)

    async def close(self) -> None:
        """Release connections."""
        if self.allowance is not None:
            await self.allowance.settled()
        await self.access.close()
        await self.gateway.close()
        await self.knowledge.close()
        if self.refresh is not None:
            await self.refresh.close()
        if self.web is not None:
            await self.web.close()
        await self.tracing.close()


def assemble(settings: Settings) -> Assistant:
    """Put the parts together; nothing is connected yet."""
    limits = settings.limits
    metrics = Metrics()
    tracing = Tracing(settings.langfuse, settings.environment, os.environ.get(RELEASE_VARIABLE), metrics)
    gateway = ModelGateway(settings.gateway, settings.models, limits.answer_seconds, tracing.calls)
    knowledge = TracedKnowledgeBase(
        tracing.tracer, settings.store.opened_with(), settings.fusion.fused_with(), *settings.models.embeddings
    )
    refresh = _refresh_requests(settings)
    objective = timedelta(hours=settings.freshness.objective_hours) if settings.freshness else None
    watch = FreshnessWatch(knowledge, objective, refresh)
    rag = RagAgent(gateway, knowledge, watch)
    web = TracedWebSearch(settings.web_search, tracing.tracer) if settings.web_search else None
    judge = Judge(gateway, settings.models.judge) if settings.models.judge else None
    evaluator = Evaluator(judge, limits, settings.routing)
    orchestrator = Orchestrator(
        Retrieving(rag, watch, evaluator, limits, web),
        SearchingWeb(web, limits, settings.routing),
        Composing(gateway, evaluator, _guard(settings), settings.models, limits, settings.prompt),
        limits,
        settings.budgets,
    )
    access = assemble_access(settings.access, settings.environment)
    admission = Admission(settings.access.load)
    metrics.watch(admission)
    metrics.watch_knowledge(watch)
    return Assistant(
        settings=settings,
        gateway=gateway,
        knowledge=knowledge,
        rag=rag,
        orchestrator=orchestrator,
        health=Health(gateway, knowledge, settings.models, settings.probe_seconds, access, web, tracing),
        metrics=metrics,
        watch=watch,
        refresh=refresh,
        web=web,
        access=access,
        admission=admission,
        allowance=_allowance(settings, access),
        tracing=tracing,
        recent=RecentTraces(),
    )


def _allowance(settings: Settings, access: AccessControl) -> Allowance | None:
    per_day = settings.access.allowance.tokens_per_day
    if per_day is None or access.database is None:
        return None
    return Allowance(Usage(access.database), per_day, settings.budgets.tokens)


def _guard(settings: Settings) -> OutputGuard:
    return OutputGuard([gateway_key(settings.gateway)], [INSTRUCTIONS, *TASKS])


def _refresh_requests(settings: Settings) -> RefreshRequests | None:
    freshness = settings.freshness
    if freshness is None or freshness.refresh is None:
        return None
    window = timedelta(minutes=freshness.window_minutes)
    return RefreshRequests(freshness.refresh, prefect_authorization(freshness.refresh), settings.environment, window)


# FastAPI would run what is no coroutine in a thread, and each of them would wait for its turn.
async def _of(request: Request) -> Assistant:
    return request.app.state.assistant


async def _trace_id(request: Request) -> str:
    return request.state.trace_id


async def _caller(request: Request) -> Caller:
    return request.state.caller


CurrentAssistant = Annotated[Assistant, Depends(_of)]
TraceId = Annotated[str, Depends(_trace_id)]
CurrentCaller = Annotated[Caller, Depends(_caller)]
