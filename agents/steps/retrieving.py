"""From a question to passages that are known to fit it: the states verify, retrieve and judge."""

import asyncio

from agents.evaluation.evaluator import Evaluator
from agents.events import PassagesFound, RelevancyJudged
from agents.freshness import FreshnessWatch
from agents.gateway.client import BUSY_SECONDS, GatewayUnavailable
from agents.inquiry import Inquiry, Steps
from agents.knowledge.search import EmbeddingMismatch
from agents.knowledge.store import Filters, StoreUnavailable
from agents.knowledge_base import NoGeneration
from agents.rag import RagAgent
from agents.settings import Limits
from agents.states import Outcome
from agents.token_estimate import estimate_tokens
from agents.web_search.client import NO_KEY, WebSearch

WEB_OFF = "the web was not searched: no web search is configured"
WEB_WITHOUT_KEY = f"the web was not searched: {NO_KEY}"
WEB_FILTERED = "the web was not searched: the question is restricted to documents"
_UNUSABLE = (NoGeneration, EmbeddingMismatch, StoreUnavailable)


class Retrieving:
    """Asks the RAG agent and the evaluation agent. `web` is what can be turned to besides."""

    def __init__(
        self, rag: RagAgent, watch: FreshnessWatch, evaluator: Evaluator, limits: Limits, web: WebSearch | None
    ) -> None:
        self._rag = rag
        self._watch = watch
        self._evaluator = evaluator
        self._limits = limits
        self._web = web

    async def verify(self, inquiry: Inquiry) -> Steps:
        """Check the knowledge base, while the question is embedded."""
        inquiry.budget.take_call(estimate_tokens(inquiry.question), 0)
        inquiry.retrieval = self._rag.begin(inquiry.question)
        try:
            with inquiry.timed("verify"):
                verified = await inquiry.retrieval.verify()
        except _UNUSABLE as error:
            yield self._do_without(inquiry, error)
            return
        inquiry.composition.freshness = verified.freshness
        if (stale := self._watch.note(verified.freshness)) is not None:
            inquiry.note(stale)
        yield verified
        yield Outcome.USABLE

    async def retrieve(self, inquiry: Inquiry) -> Steps:
        """Find the passages."""
        if inquiry.retrieval is None:
            raise RuntimeError("there is no retrieval that was begun")
        try:
            async with asyncio.timeout(max(inquiry.budget.seconds_left, 0)):
                found = await inquiry.retrieval.passages(self._limits.passages, inquiry.filters)
        except TimeoutError as error:
            within = f"within {self._limits.answer_seconds:g} s"
            raise GatewayUnavailable(f"the question was not embedded and searched {within}", BUSY_SECONDS) from error
        except _UNUSABLE as error:
            yield self._do_without(inquiry, error)
            return
        inquiry.passages = found.passages
        inquiry.composition.generation = found.generation
        inquiry.composition.spend("embed", found.embed_ms)
        inquiry.composition.spend("search", found.search_ms)
        yield PassagesFound(found.passages, found.generation)
        yield Outcome.RETRIEVED

    async def judge(self, inquiry: Inquiry) -> Steps:
        """Judge the passages, and choose the route."""
        with inquiry.timed("judge"):
            relevance = await self._evaluator.relevance(inquiry.question, inquiry.passages, inquiry.budget)
        if relevance.note is not None:
            inquiry.note(relevance.note)
        inquiry.composition.relevancy = relevance.score
        least, certain = self._limits.relevancy_threshold, self._evaluator.certain_from
        yield RelevancyJudged(round(relevance.score, 4), least, certain, relevance.judgement)
        if relevance.judgement == "correct":
            yield Outcome.FROM_KNOWLEDGE
        elif self._may_ask_the_web(inquiry):
            yield Outcome.FROM_BOTH if relevance.judgement == "ambiguous" else Outcome.FROM_WEB
        else:
            yield Outcome.FROM_KNOWLEDGE if relevance.judgement == "ambiguous" else Outcome.FROM_NEITHER

    def _may_ask_the_web(self, inquiry: Inquiry) -> bool:
        if self._web is None or self._web.off:
            inquiry.note(WEB_OFF if self._web is None else WEB_WITHOUT_KEY)
            return False
        if inquiry.filters != Filters():
            inquiry.note(WEB_FILTERED)
            return False
        return True

    def _do_without(self, inquiry: Inquiry, error: Exception) -> Outcome:
        """Go on without the knowledge base, where the web may be asked instead; raises `error` where not."""
        if not self._may_ask_the_web(inquiry):
            raise error
        inquiry.unusable = error
        inquiry.note(f"the knowledge base could not be asked: {error}")
        return Outcome.UNUSABLE
