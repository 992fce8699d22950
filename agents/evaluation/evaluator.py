"""The evaluation agent: how well what was found fits the question, and what was written what was found.

The scores of this file need no model. Where a judge is named, it is asked about what they leave open; see
`agents.evaluation.judge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.evaluation.grounding import Verdict, check
from agents.evaluation.judge import Judge, JudgeFailed
from agents.evaluation.names import names
from agents.evaluation.relevance import Judgement, judgement_of
from agents.evaluation.terms import content_terms, weight
from agents.knowledge.search import Passage
from agents.limits.budget import Budget
from agents.settings import Limits, Routing

UNRELATED_COSINE = 0.15
"""Cosine at or below which a sentence-embedding model says nothing; counts as 0."""
CERTAIN_COSINE = 0.70
"""Cosine from which on a question and a passage surely speak of the same; counts as 1."""
UNKNOWN_NAMES = 0.5
"""What is left of the score when no passage knows any name in the question."""


@dataclass(frozen=True)
class Relevance:
    """A relevancy (0..1) and what it means; `note` is why it was not judged as it should have been."""

    score: float
    judgement: Judgement
    note: str | None = None


class Evaluator:
    """Scores without a model first, and asks the judge only where that does not settle the matter."""

    def __init__(self, judge: Judge | None, limits: Limits, routing: Routing) -> None:
        self._judge = judge
        self._limits = limits
        self.certain_from = routing.certain_from

    async def relevance(self, question: str, passages: Sequence[Passage], budget: Budget) -> Relevance:
        """How well `passages` answer `question`. What is surely relevant is not judged: no first token waits for it."""
        score = relevancy(question, passages)
        settled = self._relevance(score)
        if self._judge is None or not passages or settled.judgement == "correct":
            return settled
        try:
            return self._relevance(await self._judge.relevancy(question, passages, budget))
        except JudgeFailed as error:
            return self._relevance(score, f"relevancy was scored without a judge: {error}")

    async def groundedness(self, sentence: str, question: str, passages: Sequence[Passage], budget: Budget) -> Verdict:
        """Whether `passages` support `sentence`. A judge is asked about paraphrases, which the check cannot follow."""
        verdict = check(sentence, question, passages, self._limits.groundedness_threshold)
        if self._judge is None or not verdict.may_be_paraphrase:
            return verdict
        try:
            return await self._judge.groundedness(sentence, passages, budget)
        except JudgeFailed as error:
            return replace(verdict, note=f"groundedness was scored without a judge: {error}")

    def _relevance(self, score: float, note: str | None = None) -> Relevance:
        return Relevance(score, judgement_of(score, self._limits.relevancy_threshold, self.certain_from), note)


def relevancy(question: str, passages: Sequence[Passage]) -> float:
    """Score from 0 (nothing found fits) to 1: the mean of two kinds of evidence, of `question` and `passages` alone.

    - semantic: the best cosine of the dense leg, scaled so that `UNRELATED_COSINE` is 0 and `CERTAIN_COSINE` is 1;
    - lexical: the weighted share of the question's content terms that the passages hold, the mean of the share in
      the best single passage (with its headings) and of that in all passages together. Weights stand for rarity,
      see `agents.evaluation.terms.weight`: a name or a number that occurs nowhere costs more than an everyday word.

    A question without any content term is scored by the semantic evidence alone.

    Both kinds overrate a question that differs from an answerable one in a single name ("Which port does Grafana listen
    on?"), so the score shrinks by the share of the question's names (see `names`) that no passage holds,
    down to the factor `UNKNOWN_NAMES`.
    """
    if not passages:
        return 0.0
    semantic = semantic_evidence(passages)
    lexical = lexical_evidence(question, passages)
    evidence = semantic if lexical is None else (semantic + lexical) / 2
    return evidence * (1 - (1 - UNKNOWN_NAMES) * unknown_names(question, passages))


def semantic_evidence(passages: Sequence[Passage]) -> float:
    """The best cosine of the dense leg, scaled to 0..1; 0 when the leg found none of the passages."""
    best = max((passage.dense.score for passage in passages if passage.dense), default=UNRELATED_COSINE)
    scaled = (best - UNRELATED_COSINE) / (CERTAIN_COSINE - UNRELATED_COSINE)
    return min(1.0, max(0.0, scaled))


def lexical_evidence(question: str, passages: Sequence[Passage]) -> float | None:
    """The weighted share (0..1) of the question's content terms in the passages; None when it has no such term."""
    asked = content_terms(question)
    if not asked:
        return None
    held = [asked & passage_terms(passage) for passage in passages]
    total = sum(map(weight, asked))
    best = max(sum(map(weight, terms)) for terms in held)
    together = sum(map(weight, frozenset[str]().union(*held)))
    return (best + together) / 2 / total


def unknown_names(question: str, passages: Sequence[Passage]) -> float:
    """The share (0..1) of the names in `question` that no passage holds; 0 when it has none."""
    named = names(question)
    held = frozenset[str]().union(*(named & passage_terms(passage) for passage in passages))
    return len(named - held) / len(named) if named else 0.0


def passage_terms(passage: Passage) -> frozenset[str]:
    """The content terms of a passage, of its headings and of its document's title."""
    chunk = passage.chunk
    return content_terms(chunk.text) | content_terms(" ".join((chunk.title, *chunk.heading_path)))


def web_relevancy(question: str, passages: Sequence[Passage]) -> float:
    """The relevancy of web passages (0..1): they have no vectors, so that only the words of the question count."""
    lexical = lexical_evidence(question, passages) if passages else 0.0
    return (lexical or 0.0) * (1 - (1 - UNKNOWN_NAMES) * unknown_names(question, passages))


def gap(question: str, passages: Sequence[Passage]) -> tuple[str, ...]:
    """The stems of the words in `question` that no passage holds, the weightiest first."""
    held = frozenset[str]().union(*map(passage_terms, passages))
    return tuple(sorted(content_terms(question) - held, key=lambda term: (-weight(term), term)))
