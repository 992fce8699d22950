"""Answers a question: walks through the states of `agents.states` and tells the caller what happens."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from agents.events import Done, Event, StateEntered
from agents.inquiry import Inquiry, Steps
from agents.knowledge.store import Filters
from agents.limits.budget import Budget
from agents.settings import Budgets, Limits
from agents.states import START, TRANSITIONS, Outcome, State
from agents.steps.composing import Composing
from agents.steps.ending import abstain, quote
from agents.steps.retrieving import Retrieving
from agents.steps.web import SearchingWeb

DO_NOT_KNOW = "I do not know: the knowledge base holds nothing that answers this question."
NOBODY_KNOWS = "I do not know: neither the knowledge base nor the web holds anything that answers this question."


class Orchestrator:
    """Takes every question through the states; holds nothing of any of them."""

    def __init__(
        self, retrieving: Retrieving, web: SearchingWeb, composing: Composing, limits: Limits, budgets: Budgets
    ) -> None:
        self._limits = limits
        self._budgets = budgets
        self._steps: Mapping[State, Callable[[Inquiry], Steps]] = {
            State.VERIFY: retrieving.verify,
            State.RETRIEVE: retrieving.retrieve,
            State.JUDGE: retrieving.judge,
            State.SUPPLEMENT: web.supplement,
            State.SEARCH_WEB: web.search_web,
            State.ANSWER: composing.answer,
            State.CHECK: composing.check,
            State.CORRECT: composing.correct,
            State.QUOTE: quote,
            State.ABSTAIN: abstain,
        }

    def budget(self) -> Budget:
        """What a question that comes now may cost."""
        budgets = self._budgets
        return Budget(self._limits.answer_seconds, budgets.tokens, budgets.tool_calls, budgets.corrections)

    async def answer(self, question: str, filters: Filters, trace_id: str, budget: Budget) -> AsyncGenerator[Event]:
        """The events of answering `question`, `Done` last. Closing the generator stops the work, at the model too.

        What it costs comes off `budget`, which says when the generator is closed how much that was.

        Raises:
            GatewayUnavailable: the question cannot be embedded. (A reasoning model that fails leads to quotes.)
            NoGeneration, EmbeddingMismatch, StoreUnavailable: nothing can be retrieved, and nothing on the web fits.
        """
        inquiry = Inquiry(question, filters, trace_id, budget)
        state = START
        try:
            while state is not State.DONE:
                inquiry.composition.route.append(state)
                yield StateEntered(state, round(inquiry.budget.elapsed_ms, 3))
                outcome: Outcome | None = None
                async with aclosing(self._steps[state](inquiry)) as steps:
                    async for step in steps:
                        if isinstance(step, Outcome):
                            outcome = step
                        else:
                            yield step
                if outcome is None:
                    raise RuntimeError(f"state {state.value!r} ended without an outcome")
                state = TRANSITIONS[state][outcome]
        finally:
            await inquiry.close()
        composition = inquiry.composition
        composition.spend("total", inquiry.budget.elapsed_ms)
        yield Done(composition.answer(trace_id, NOBODY_KNOWS if inquiry.web_searched else DO_NOT_KNOW))
