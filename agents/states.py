"""The states of answering a question, what can come of each, and where that leads."""

from enum import StrEnum


class State(StrEnum):
    """What the orchestrator is doing."""

    VERIFY = "verify"
    RETRIEVE = "retrieve"
    JUDGE = "judge"
    SUPPLEMENT = "supplement"
    SEARCH_WEB = "search_web"
    ANSWER = "answer"
    CHECK = "check"
    CORRECT = "correct"
    QUOTE = "quote"
    ABSTAIN = "abstain"
    DONE = "done"


class Outcome(StrEnum):
    """What came of a state."""

    USABLE = "usable"
    UNUSABLE = "unusable"
    RETRIEVED = "retrieved"
    FROM_KNOWLEDGE = "from knowledge"
    FROM_BOTH = "from both"
    FROM_WEB = "from the web"
    FROM_NEITHER = "from neither"
    FOUND = "found"
    NOTHING_FOUND = "nothing found"
    DRAFTED = "drafted"
    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    REFUTED = "refuted"
    RETRIED = "retried"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    QUOTED = "quoted"
    ABSTAINED = "abstained"


START = State.VERIFY

TRANSITIONS: dict[State, dict[Outcome, State]] = {
    # The question is embedded meanwhile. A knowledge base that cannot be used leaves the web, where there is one.
    State.VERIFY: {Outcome.USABLE: State.RETRIEVE, Outcome.UNUSABLE: State.SEARCH_WEB},
    State.RETRIEVE: {Outcome.RETRIEVED: State.JUDGE, Outcome.UNUSABLE: State.SEARCH_WEB},
    State.JUDGE: {
        Outcome.FROM_KNOWLEDGE: State.ANSWER,
        Outcome.FROM_BOTH: State.SUPPLEMENT,
        Outcome.FROM_WEB: State.SEARCH_WEB,
        Outcome.FROM_NEITHER: State.ABSTAIN,
    },
    # What the web adds to passages that fit in part; without it they are answered from alone.
    State.SUPPLEMENT: {Outcome.FOUND: State.ANSWER, Outcome.NOTHING_FOUND: State.ANSWER},
    State.SEARCH_WEB: {Outcome.FOUND: State.ANSWER, Outcome.NOTHING_FOUND: State.ABSTAIN},
    # One sentence at a time is drafted and checked; what ends the draft decides by what was released so far.
    State.ANSWER: {
        Outcome.DRAFTED: State.CHECK,
        Outcome.REFUTED: State.CORRECT,
        Outcome.ANSWERED: State.DONE,
        Outcome.UNANSWERED: State.QUOTE,
    },
    State.CHECK: {Outcome.SUPPORTED: State.ANSWER, Outcome.UNSUPPORTED: State.ANSWER},
    State.CORRECT: {Outcome.RETRIED: State.ANSWER},
    State.QUOTE: {Outcome.QUOTED: State.DONE},
    State.ABSTAIN: {Outcome.ABSTAINED: State.DONE},
    State.DONE: {},
}
"""Every outcome that a state can have, and the state that follows."""
