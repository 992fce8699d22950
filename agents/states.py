"""The states of answering a question, what can come of each, and where that leads."""

from enum import StrEnum


class State(StrEnum):
    """What the orchestrator is doing."""

    RETRIEVE = "retrieve"
    JUDGE = "judge"
    ANSWER = "answer"
    CHECK = "check"
    QUOTE = "quote"
    ABSTAIN = "abstain"
    DONE = "done"


class Outcome(StrEnum):
    """What came of a state."""

    FOUND = "found"
    NOTHING_FOUND = "nothing found"
    RELEVANT = "relevant"
    IRRELEVANT = "irrelevant"
    DRAFTED = "drafted"
    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    QUOTED = "quoted"
    ABSTAINED = "abstained"


START = State.RETRIEVE

TRANSITIONS: dict[State, dict[Outcome, State]] = {
    State.RETRIEVE: {Outcome.FOUND: State.JUDGE, Outcome.NOTHING_FOUND: State.ABSTAIN},
    State.JUDGE: {Outcome.RELEVANT: State.ANSWER, Outcome.IRRELEVANT: State.ABSTAIN},
    # One sentence at a time is drafted and checked; what ends the draft decides by what was released so far.
    State.ANSWER: {Outcome.DRAFTED: State.CHECK, Outcome.ANSWERED: State.DONE, Outcome.UNANSWERED: State.QUOTE},
    State.CHECK: {Outcome.SUPPORTED: State.ANSWER, Outcome.UNSUPPORTED: State.ANSWER},
    State.QUOTE: {Outcome.QUOTED: State.DONE},
    State.ABSTAIN: {Outcome.ABSTAINED: State.DONE},
    State.DONE: {},
}
"""Every outcome that a state can have, and the state that follows."""
