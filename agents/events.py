"""What happens while a question is answered, in the order that the caller sees it."""

from dataclasses import dataclass
from typing import Literal

from agents.evaluation.relevance import Judgement
from agents.freshness import Freshness
from agents.knowledge.search import Passage
from agents.states import State

Kind = Literal["answered", "quoted", "abstained"]
Origin = Literal["knowledge", "web"]


@dataclass(frozen=True)
class Citation:
    """Where a sentence comes from. `quote` is the slice `[start:end)` of the document's text, verbatim.

    Of a web page, `document_uri` is the address, `path` the host, `source` is `web`, and `chunk_id` and `generation`
    are empty; its text is what was read of the page then.
    """

    number: int
    origin: Origin
    document_uri: str
    source: str
    title: str
    path: str
    heading_path: tuple[str, ...]
    chunk_id: str
    quote: str
    start: int
    end: int
    generation: str


@dataclass(frozen=True)
class ReleasedSentence:
    """A sentence of the answer that passed the check, or a quote; `groundedness` is 0..1, 1 for a quote."""

    text: str
    separator: str
    citation: int
    groundedness: float


@dataclass(frozen=True)
class Answer:
    """The whole answer. `timings_ms` is per stage; `notes` say what kept the answer from being better.

    `relevancy` and `groundedness` (mean of the sentences; None when there is none) are 0..1. `route` is the states
    passed through, repetitions left out. `freshness` is that of the generation, None when there was none to answer
    from; `corrections` counts the drafts that were thrown away. `model` wrote the sentences, as the gateway calls it;
    None when none did, and in answers that were kept before it was noted.
    """

    kind: Kind
    answer: str
    sentences: tuple[ReleasedSentence, ...]
    citations: tuple[Citation, ...]
    relevancy: float
    groundedness: float | None
    route: tuple[State, ...]
    generation: str
    freshness: Freshness | None
    corrections: int
    notes: tuple[str, ...]
    trace_id: str
    timings_ms: dict[str, float]
    model: str | None = None


@dataclass(frozen=True)
class StateEntered:
    """The orchestrator went on to `state`, `at_ms` after the question came."""

    state: State
    at_ms: float


@dataclass(frozen=True)
class KnowledgeVerified:
    """The knowledge base can be asked: the generation that serves, and how fresh it is."""

    generation: str
    freshness: Freshness


@dataclass(frozen=True)
class PassagesFound:
    """What the knowledge base has on the question, best first."""

    passages: tuple[Passage, ...]
    generation: str


@dataclass(frozen=True)
class RelevancyJudged:
    """How well the passages fit the question (0..1), and the thresholds: the least that is answered, and the least that
    is answered without asking the web too."""

    relevancy: float
    threshold: float
    certain_from: float
    judgement: Judgement


@dataclass(frozen=True)
class WebSearched:
    """The web was asked. `gap` is the words of the question that no passage holds; `addresses` are those found."""

    query: str
    gap: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class CorrectionBegun:
    """A draft was thrown away, for `reason` in our own words; the next one is the `attempt`-th correction."""

    attempt: int
    reason: str


@dataclass(frozen=True)
class CitationMade:
    """Comes before the first sentence that refers to it."""

    citation: Citation


@dataclass(frozen=True)
class SentenceReleased:
    """The next sentence of the answer."""

    sentence: ReleasedSentence


@dataclass(frozen=True)
class SentenceDropped:
    """The model wrote a sentence that may not be shown, for `reason` in our own words."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The answer is complete."""

    answer: Answer


Event = (
    StateEntered
    | KnowledgeVerified
    | PassagesFound
    | RelevancyJudged
    | WebSearched
    | CitationMade
    | SentenceReleased
    | SentenceDropped
    | CorrectionBegun
    | Done
)
