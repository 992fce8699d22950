"""Whether a sentence says what the passages say: a deterministic check, and the verbatim span that supports it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from agents.claims import CONDITIONS, NOT, Word, align, claim_words, keeps_company
from agents.knowledge.search import Passage
from agents.sentences import sentence_spans
from agents.terms import exact_tokens, holds_exactly

LONGEST_QUOTE = 600
"""Characters; neighbouring sentences are taken together as evidence only up to this length."""
FEWEST_WORDS = 2
"""A sentence with fewer words that claim anything cannot be checked."""
_FREE_CONDITIONS = frozenset(["if", "when"])
# They may be added to what a text says, for that claims less.


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
    words: tuple[Word, ...]


def check(sentence: str, question: str, passages: Sequence[Passage], threshold: float) -> Verdict:
    """Check one sentence of an answer to `question` against the passages it was made from.

    It passes when one or two neighbouring sentences of a passage say the same in the same order, see `_support`, with a
    score of at least `threshold` (0..1): the share of its words that are found there, less a loss for every word that
    it leaves out in between. This is strict on purpose: what fails is replaced by quotes, which are always right.
    """
    words = claim_words(sentence)
    stems = {word.stem for word in words}
    if sentence.rstrip().endswith("?"):
        return Verdict(0.0, None, "it is a question")
    if sentence.rstrip().endswith(":"):
        return Verdict(0.0, None, "it only announces")
    if len(words) < FEWEST_WORDS:
        return Verdict(0.0, None, "it claims too little to be checked")
    if stems <= {word.stem for word in claim_words(question)}:
        return Verdict(0.0, None, "it repeats the question")
    exact = exact_tokens(sentence)
    holders = [passage for passage in passages if all(holds_exactly(passage.chunk.text, token) for token in exact)]
    if not holders:
        missing = sorted(t for t in exact if not any(holds_exactly(p.chunk.text, t) for p in passages))
        named = ", ".join(repr(token) for token in missing)
        return Verdict(0.0, None, f"no passage holds {named}" if missing else "no single passage holds all its names")
    score, quote = _best_support(words, exact, holders)
    if quote is None:
        return Verdict(score, None, "no passage says that")
    if score < threshold:
        return Verdict(score, quote, f"only {score:.2f} of it is in the passages")
    return Verdict(score, quote, None)


def _best_support(
    words: tuple[Word, ...], exact: frozenset[str], passages: Sequence[Passage]
) -> tuple[float, Quote | None]:
    best: tuple[float, Quote | None] = (0.0, None)
    for passage in passages:
        text = passage.chunk.text
        headings = (passage.chunk.title, *passage.chunk.heading_path)
        for window in _windows(text):
            score = _support(words, window.words, headings)
            # The single sentences come first: a pair must support more to be preferred.
            if score > best[0] and all(holds_exactly(text[window.start : window.end], token) for token in exact):
                best = (score, Quote(passage, window.start, window.end))
    return best


def _support(words: tuple[Word, ...], text: tuple[Word, ...], headings: tuple[str, ...]) -> float:
    """How well `text` supports the claim `words` (0..1); 0 when the claim differs in any of these ways.

    - A word of the claim is not in the text, at its place in the order. Words before or after all the others may come
      from the headings instead, when they restate the whole innermost heading.
    - The text denies more or less than the claim, or has a condition (`claims.CONDITIONS`) that the claim has not.
    - Between the words of the claim, the text has an exact token or a relation (`before`, `by`) that was left out.
    - A word stands nearer to another exact token than to those of the claim.
    """
    above = {word.stem for heading in headings for word in claim_words(heading)}
    if not {word.stem for word in words} <= {word.stem for word in text} | above | _FREE_CONDITIONS:
        return 0.0
    if _count(words, NOT) != _count(text, NOT) or any(_count(text, c) > _count(words, c) for c in CONDITIONS):
        return 0.0
    alignment = align(words, text)
    if not alignment.pairs:
        return 0.0
    first, last = alignment.pairs[0], alignment.pairs[-1]
    mine, theirs = {pair[0] for pair in alignment.pairs}, frozenset(pair[1] for pair in alignment.pairs)
    left = [index for index, word in enumerate(words) if index not in mine and word.stem not in _FREE_CONDITIONS]
    innermost = {word.stem for word in claim_words(headings[-1])} - _FREE_CONDITIONS
    if left and not (
        all((index < first[0] or index > last[0]) and words[index].stem in above for index in left)
        and innermost <= {word.stem for word in words}
    ):
        return 0.0
    if any(text[index].binds for index in range(first[1], last[1]) if index not in theirs):
        return 0.0
    return alignment.score / len(words) if keeps_company(text, theirs) else 0.0


def _count(words: tuple[Word, ...], stem: str) -> int:
    return sum(word.stem == stem for word in words)


@lru_cache(maxsize=256)
def _windows(text: str) -> tuple[_Window, ...]:
    spans = sentence_spans(text)
    pairs = [(a[0], b[1]) for a, b in pairwise(spans) if b[1] - a[0] <= LONGEST_QUOTE]
    return tuple(_Window(start, end, claim_words(text[start:end])) for start, end in spans + pairs)
