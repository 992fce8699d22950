"""Answers a question: walks through the states of `agents.states` and tells the caller what happens."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from agents.composition import Composition
from agents.drafting import Draft
from agents.evaluator import relevancy
from agents.events import (
    Done,
    Event,
    PassagesFound,
    RelevancyJudged,
    SentenceDropped,
    StateEntered,
)
from agents.gateway import GatewayUnavailable, ModelGateway
from agents.grounding import check
from agents.knowledge.search import Passage
from agents.knowledge.store import Filters
from agents.prompt import messages
from agents.quoting import best_quotes, is_to_the_point
from agents.rag import RagAgent
from agents.sentences import Sentence
from agents.settings import Limits, Models
from agents.states import START, TRANSITIONS, Outcome, State

DO_NOT_KNOW = "I do not know: the knowledge base holds nothing that answers this question."

MOST_SENTENCES = 3
"""What was asked is answered by then; small models wander off when they are not stopped."""

MOST_MISSES = 3
"""A draft with so many sentences that may not be shown is given up: of 21 right drafts none had more than two before
its first good sentence, and every sentence costs about a second of a small model."""

Steps = AsyncGenerator[Event | Outcome]


class Orchestrator:
    """Makes a run for every question; holds nothing of any of them."""

    def __init__(self, rag: RagAgent, gateway: ModelGateway, models: Models, limits: Limits) -> None:
        self._rag = rag
        self._gateway = gateway
        self._models = models
        self._limits = limits

    async def answer(self, question: str, filters: Filters, trace_id: str) -> AsyncGenerator[Event]:
        """The events of answering `question`, `Done` last. Closing the generator stops the work, at the model too.

        Raises:
            GatewayUnavailable: the question cannot be embedded. (A chat model that fails leads to quotes.)
            NoGeneration, EmbeddingMismatch, StoreUnavailable: nothing can be retrieved.
        """
        run = Run(question, filters, trace_id, self._rag, self._gateway, self._models, self._limits)
        async with aclosing(run.events()) as events:
            async for event in events:
                yield event


class Run:
    """One question on its way. Every state has one method, which yields events and, last, its outcome."""

    def __init__(
        self,
        question: str,
        filters: Filters,
        trace_id: str,
        rag: RagAgent,
        gateway: ModelGateway,
        models: Models,
        limits: Limits,
    ) -> None:
        self._question = question
        self._filters = filters
        self._trace_id = trace_id
        self._rag = rag
        self._gateway = gateway
        self._models = models
        self._limits = limits
        self._began = time.perf_counter()
        self._passages: tuple[Passage, ...] = ()
        self._draft: Draft | None = None
        self._sentence: Sentence | None = None
        self._misses = 0
        self._composition = Composition()

    async def events(self) -> AsyncGenerator[Event]:
        """Walk from the first state to the last."""
        state = START
        try:
            while state is not State.DONE:
                self._composition.route.append(state)
                yield StateEntered(state, round(self._elapsed_ms(), 3))
                outcome: Outcome | None = None
                async with aclosing(self._steps(state)()) as steps:
                    async for step in steps:
                        if isinstance(step, Outcome):
                            outcome = step
                        else:
                            yield step
                if outcome is None:
                    raise RuntimeError(f"state {state.value!r} ended without an outcome")
                state = TRANSITIONS[state][outcome]
        finally:
            if self._draft is not None:
                await self._draft.close()
        self._composition.spend("total", self._elapsed_ms())
        yield Done(self._composition.answer(self._trace_id, DO_NOT_KNOW))

    def _steps(self, state: State) -> Callable[[], Steps]:
        return {
            State.RETRIEVE: self._retrieve,
            State.JUDGE: self._judge,
            State.ANSWER: self._answer,
            State.CHECK: self._check,
            State.QUOTE: self._quote,
            State.ABSTAIN: self._abstain,
        }[state]

    async def _retrieve(self) -> Steps:
        found = await self._rag.retrieve(self._question, self._limits.passages, self._filters)
        self._passages = found.passages
        self._composition.generation = found.generation
        self._composition.spend("embed", found.embed_ms)
        self._composition.spend("search", found.search_ms)
        yield PassagesFound(found.passages, found.generation)
        yield Outcome.FOUND if found.passages else Outcome.NOTHING_FOUND

    async def _judge(self) -> Steps:
        began = time.perf_counter()
        score = relevancy(self._question, self._passages)
        self._composition.relevancy = score
        self._spend_since("judge", began)
        yield RelevancyJudged(round(score, 4), self._limits.relevancy_threshold)
        yield Outcome.RELEVANT if score >= self._limits.relevancy_threshold else Outcome.IRRELEVANT

    async def _answer(self) -> Steps:
        began = time.perf_counter()
        try:
            self._sentence = await self._next_sentence()
        except TimeoutError:
            self._sentence = None
            self._composition.notes.append(f"the model was stopped after {self._limits.answer_seconds:g} s")
        except GatewayUnavailable as error:
            self._sentence = None
            self._composition.notes.append(f"the chat model failed: {error}")
        self._spend_since("model", began)
        if self._sentence is not None:
            yield Outcome.DRAFTED
        else:
            yield Outcome.ANSWERED if self._composition.sentences else Outcome.UNANSWERED

    async def _next_sentence(self) -> Sentence | None:
        if len(self._composition.sentences) >= MOST_SENTENCES or self._misses >= MOST_MISSES:
            return None
        if self._draft is None:
            prompt = messages(
                self._question, self._passages, self._models.chat.context_tokens, self._limits.answer_tokens
            )
            self._draft = Draft(self._gateway.stream_chat(prompt, self._limits.answer_tokens))
        return await self._draft.next_sentence(self._limits.answer_seconds - self._elapsed_ms() / 1000)

    async def _check(self) -> Steps:
        began = time.perf_counter()
        sentence = self._sentence
        if sentence is None:
            raise RuntimeError("there is no sentence to check")
        verdict = check(sentence.text, self._question, self._passages, self._limits.groundedness_threshold)
        failure = verdict.failure
        if verdict.quote and not failure and not self._composition.sentences:
            pertinent = is_to_the_point(self._question, verdict.quote, self._passages)
            failure = None if pertinent else "it is beside the question"
        self._spend_since("check", began)
        if verdict.quote is None or failure is not None:
            self._misses += 1
            yield SentenceDropped(failure or "")
            yield Outcome.UNSUPPORTED
            return
        for event in self._composition.release(sentence.text, sentence.separator, verdict.quote, verdict.score):
            yield event
        yield Outcome.SUPPORTED

    async def _quote(self) -> Steps:
        began = time.perf_counter()
        self._composition.kind = "quoted"
        quotes = best_quotes(self._question, self._passages)
        self._spend_since("quote", began)
        for quote in quotes:
            for event in self._composition.release(quote.text, "\n\n", quote, 1.0):
                yield event
        yield Outcome.QUOTED

    async def _abstain(self) -> Steps:
        self._composition.kind = "abstained"
        yield Outcome.ABSTAINED

    def _elapsed_ms(self) -> float:
        return 1000 * (time.perf_counter() - self._began)

    def _spend_since(self, stage: str, began: float) -> None:
        self._composition.spend(stage, 1000 * (time.perf_counter() - began))
