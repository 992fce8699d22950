"""Whether a sentence says what the passages say: a deterministic check, and the verbatim span that supports it."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

from agents.evaluation.claims import CONDITIONS, NOT, Claim, align, claim_of, keeps_company
from agents.evaluation.evidence import Window, windows
from agents.evaluation.terms import exact_tokens, holds_exactly
from agents.knowledge.search import Passage

FEWEST_WORDS = 2
"""A sentence with fewer words that claim anything cannot be checked."""
RESTATED = 0.5
"""What a word counts that comes from a heading; a word of the sentence itself counts 1."""
MOST_RESTATED = 3
"""So often a sentence may say a word beyond what the text says, where headings, columns or conditions allow it."""
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
    """What the check made of one sentence: the share of its content that `quote` supports, and why it failed if so.

    `failure` is in our own words and may be shown; `details` repeats those of a model, which nobody has made inert.
    `may_be_paraphrase`: it failed only because no passage says it in the same words. `note` is why it was not judged
    as it should have been.
    """

    score: float
    quote: Quote | None
    failure: str | None
    details: str | None = None
    may_be_paraphrase: bool = False
    note: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the sentence may be shown."""
        return self.failure is None


def check(sentence: str, question: str, passages: Sequence[Passage], threshold: float) -> Verdict:
    """Check one sentence of an answer to `question` against the passages it was made from.

    It passes when one or two neighbouring sentences of a passage say the same in the same order, see `_support`, with a
    score of at least `threshold` (0..1): the share of its words that are found there, less a loss for every word that
    it leaves out in between. This is strict on purpose: what fails is replaced by quotes, which are always right.
    """
    claim = claim_of(sentence)
    if sentence.rstrip().endswith("?"):
        return Verdict(0.0, None, "it is a question")
    if sentence.rstrip().endswith(":"):
        return Verdict(0.0, None, "it only announces")
    if len(claim) < FEWEST_WORDS:
        return Verdict(0.0, None, "it claims too little to be checked")
    if set(claim.stems) <= set(claim_of(question).stems):
        return Verdict(0.0, None, "it repeats the question")
    exact = exact_tokens(sentence)
    holders = [passage for passage in passages if all(holds_exactly(passage.chunk.text, token) for token in exact)]
    if not holders:
        missing = sorted(t for t in exact if not any(holds_exactly(p.chunk.text, t) for p in passages))
        if not missing:
            return Verdict(0.0, None, "no single passage holds all its names")
        return Verdict(0.0, None, "it names what no passage holds", ", ".join(repr(token) for token in missing))
    score, quote = _best_support(claim, exact, holders)
    if quote is None:
        return Verdict(score, None, "no passage says that", may_be_paraphrase=True)
    if score < threshold:
        return Verdict(score, quote, f"only {score:.2f} of it is in the passages", may_be_paraphrase=True)
    return Verdict(score, quote, None)


def _best_support(claim: Claim, exact: frozenset[str], passages: Sequence[Passage]) -> tuple[float, Quote | None]:
    best: tuple[float, Quote | None] = (0.0, None)
    for passage in passages:
        text = passage.chunk.text
        headings = (passage.chunk.title, *passage.chunk.heading_path)
        for window in windows(text):
            score = _support(claim, window, headings)
            # The single sentences come first: a pair must support more to be preferred.
            if score > best[0] and all(holds_exactly(text[window.start : window.end], token) for token in exact):
                best = (score, Quote(passage, window.start, window.end))
    return best


def _support(claim: Claim, window: Window, headings: tuple[str, ...]) -> float:
    """How well the text of `window` supports the claim (0..1); 0 when the claim differs in any of these ways.

    - A word of the claim is not in the text, at its place in the order. Words before or after all the others may come
      from the headings instead, when they restate the whole innermost heading; with a row of a table, the names of its
      columns may stand anywhere. Neither may be repeated at will, see `MOST_RESTATED`.
    - The text denies more or less than the claim, or has a condition (`claims.CONDITIONS`) that the claim has not.
    - Between the words of the claim, the text has an exact token or a relation (`before`, `by`) that was left out.
    - A word stands nearer to another exact token than to those of the claim.
    """
    text = window.claim
    stems = set(claim.stems)
    above = {stem for heading in headings for stem in claim_of(heading).stems}
    free = window.columns | _FREE_CONDITIONS
    if not stems <= {*text.stems} | above | free or _differs(claim, text):
        return 0.0
    if _repeats(claim, text, above | free):
        return 0.0
    alignment = align(claim, text)
    if not alignment.pairs:
        return 0.0
    mine, theirs = {pair[0] for pair in alignment.pairs}, frozenset(pair[1] for pair in alignment.pairs)
    unaligned = [index for index in range(len(claim)) if index not in mine]
    left = [index for index in unaligned if claim.stems[index] not in free]
    restated = set(claim_of(headings[-1]).stems) - free <= stems
    if left and not (restated and all(_outside(index, mine) and claim.stems[index] in above for index in left)):
        return 0.0
    if any(text.binds(index) for index in range(min(theirs), max(theirs)) if index not in theirs):
        return 0.0
    if not keeps_company(text, theirs):
        return 0.0
    named = sum(claim.stems[index] in window.columns for index in unaligned)
    # Beside an exact token the subject matters most: `make up` is mentioned below "How do I stop?" too.
    restating = RESTATED * len(left) if set(claim.groups) == {None} else 0.0
    return (alignment.score + named + restating) / len(claim)


def _differs(claim: Claim, text: Claim) -> bool:
    conditional = any(text.stems.count(condition) > claim.stems.count(condition) for condition in CONDITIONS)
    return conditional or claim.stems.count(NOT) != text.stems.count(NOT)


def _repeats(claim: Claim, text: Claim, elsewhere: Set[str]) -> bool:
    """Whether a word stands in the claim more often than it can be supported: aligned once with each in the text.

    Without this, aligning a draft that repeats itself would take longer the longer it is, with every window anew.
    """
    said = Counter(text.stems)
    counts = Counter(claim.stems).items()
    return any(count > said[stem] + MOST_RESTATED * (stem in elsewhere) for stem, count in counts)


def _outside(index: int, aligned: set[int]) -> bool:
    return index < min(aligned) or index > max(aligned)
