"""Answers that no model writes: the states quote and abstain."""

from agents.evaluation.quoting import best_quotes
from agents.inquiry import Inquiry, Steps
from agents.states import Outcome


async def quote(inquiry: Inquiry) -> Steps:
    """Quote the best passages."""
    inquiry.composition.kind = "quoted"
    with inquiry.timed("quote"):
        quotes = best_quotes(inquiry.question, inquiry.passages)
    for one in quotes:
        for event in inquiry.composition.release(one.text, "\n\n", one, 1.0):
            yield event
    yield Outcome.QUOTED


async def abstain(inquiry: Inquiry) -> Steps:
    """Say that the answer is not known."""
    inquiry.composition.kind = "abstained"
    yield Outcome.ABSTAINED
