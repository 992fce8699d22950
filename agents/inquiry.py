"""One question on its way through the states: what is known of it so far."""

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agents.composition import Composition
from agents.drafting import Draft
from agents.evaluation.sentences import Sentence
from agents.events import Event
from agents.knowledge.search import Passage
from agents.knowledge.store import Filters
from agents.limits.budget import Budget
from agents.rag import Retrieval
from agents.states import Outcome

Steps = AsyncGenerator[Event | Outcome]
"""What a state yields: events, and last its outcome."""


@dataclass(frozen=True)
class Refusal:
    """Why a sentence may not be shown: `reason` for the caller, `feedback` for the next prompt (a model's words)."""

    reason: str
    feedback: str


@dataclass
class Inquiry:
    """What the states know and change.

    `passages` is what the answer is made from, best first; where it is made from both, knowledge and web take turns.
    `unusable` is why the knowledge base cannot be asked, when that is so; `web_searched` is whether the web answered.
    `refusals` says why the sentences of the present draft may not be shown.
    """

    question: str
    filters: Filters
    trace_id: str
    budget: Budget
    composition: Composition = field(default_factory=Composition)
    retrieval: Retrieval | None = None
    passages: tuple[Passage, ...] = ()
    unusable: Exception | None = None
    web_searched: bool = False
    draft: Draft | None = None
    sentence: Sentence | None = None
    refusals: list[Refusal] = field(default_factory=list[Refusal])

    @contextmanager
    def timed(self, stage: str) -> Generator[None]:
        """Count the time of the block for a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.composition.spend(stage, 1000 * (time.perf_counter() - began))

    def note(self, text: str) -> None:
        """Say in the answer what kept it from being better; once."""
        if text not in self.composition.notes:
            self.composition.notes.append(text)

    async def close(self) -> None:
        """End the work that is still going on for this question, at the models too."""
        # When the client went away, whatever has to wait is cancelled: the draft, which costs most, is closed first.
        try:
            if self.draft is not None:
                await self.draft.close()
        finally:
            if self.retrieval is not None:
                await self.retrieval.close()
