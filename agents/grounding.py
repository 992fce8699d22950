"""Whether a sentence says what the passages say: a deterministic check, and the verbatim span that supports it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from agents.knowledge.search import Passage
from agents.sentences import sentence_spans
from agents.terms import content_terms, exact_tokens, holds_exactly, is_negated

LONGEST_QUOTE = 600
"""Characters; neighbouring sentences are taken together as evidence only up to this length."""
FEWEST_TERMS = 2
"""A sentence with fewer content terms claims too little to be checked."""


@dataclass(frozen=True)
class Quote:
    """The slice `[start:end)` of a passage's text."""

    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        """The quote, verbatim."""
        return self.passage.chunk.text[self.start : self.end]

    @property
    def document_start(self) -> int:
        """Character offset into the text of the document."""
        return self.passage.chunk.start + self.start

    @property
    def document_end(self) -> int:
        """Character offset into the text of the document, end excluded."""
        return self.passage.chunk.start + self.end


@dataclass(frozen=True)
class Verdict:
    """What the check made of one sentence: the share of its content that `quote` supports, and why it failed if so."""

    score: float
    quote: Quote | None
    failure: str | None

    @property
    def passed(self) -> bool:
        """Whether the sentence may be shown."""
        return self.failure is None


@dataclass(frozen=True)
class _Window:
    start: int
    end: int
    terms: frozenset[str]
    negated: bool


def check(sentence: str, passages: Sequence[Passage], threshold: float) -> Verdict:
    """Check one sentence of an answer against the passages it was made from.

    It passes when one or two neighbouring sentences of a passage hold all its exact tokens (numbers, identifiers, code;
    see `terms.exact_tokens`), deny something exactly when it does, and hold, together with the passage's headings, at
    least the share `threshold` (0..1) of its content terms.
    """
    terms = content_terms(sentence)
    if sentence.rstrip().endswith("?"):
        return Verdict(0.0, None, "it is a question")
    if len(terms) < FEWEST_TERMS:
        return Verdict(0.0, None, "it claims too little to be checked")
    exact, negated = exact_tokens(sentence), is_negated(sentence)
    holders = [passage for passage in passages if all(holds_exactly(passage.chunk.text, token) for token in exact)]
    if not holders:
        missing = sorted(t for t in exact if not any(holds_exactly(p.chunk.text, t) for p in passages))
        named = ", ".join(repr(token) for token in missing)
        return Verdict(0.0, None, f"no passage holds {named}" if missing else "no single passage holds all its names")
    score, quote = _best_support(terms, exact, negated, holders)
    if quote is None:
        return Verdict(score, None, "no passage says that")
    if score < threshold:
        return Verdict(score, quote, f"only {score:.2f} of it is in the passages")
    return Verdict(score, quote, None)


def _best_support(
    terms: frozenset[str], exact: frozenset[str], negated: bool, passages: Sequence[Passage]
) -> tuple[float, Quote | None]:
    best: tuple[float, Quote | None] = (0.0, None)
    for passage in passages:
        text = passage.chunk.text
        heading = content_terms(" ".join((passage.chunk.title, *passage.chunk.heading_path)))
        for window in _windows(text):
            if window.negated is not negated or not terms & window.terms:
                continue
            score = len(terms & (window.terms | heading)) / len(terms)
            # The single sentences come first: a pair must support more to be preferred.
            if score > best[0] and all(holds_exactly(text[window.start : window.end], token) for token in exact):
                best = (score, Quote(passage, window.start, window.end))
    return best


@lru_cache(maxsize=256)
def _windows(text: str) -> tuple[_Window, ...]:
    spans = sentence_spans(text)
    pairs = [(a[0], b[1]) for a, b in pairwise(spans) if b[1] - a[0] <= LONGEST_QUOTE]
    return tuple(
        _Window(start, end, content_terms(text[start:end]), is_negated(text[start:end])) for start, end in spans + pairs
    )
