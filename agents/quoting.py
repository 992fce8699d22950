"""Answers by quotation: the sentences of the best passages that speak of the question."""

from collections.abc import Sequence

from agents.grounding import LONGEST_QUOTE, Quote
from agents.knowledge.search import Passage
from agents.sentences import sentence_spans
from agents.terms import content_terms, weight

MOST_QUOTES = 3
_SHORT = 40


def best_quotes(question: str, passages: Sequence[Passage]) -> list[Quote]:
    """Up to three verbatim quotes, one a passage, of the passages as ranked; empty only when there is no passage.

    A passage none of whose sentences share a content term with the question is left out, except that the best passage
    stands for itself when all are.
    """
    asked = content_terms(question)
    scored = [_best_sentence(asked, passage) for passage in passages[:MOST_QUOTES]]
    best = max((score for score, _ in scored), default=0.0)
    if best == 0.0:
        return [quote for _, quote in scored[:1] if quote.text]
    return [quote for score, quote in scored if score >= best / 2]


def _best_sentence(asked: frozenset[str], passage: Passage) -> tuple[float, Quote]:
    text = passage.chunk.text
    spans = sentence_spans(text)
    if not spans:
        return 0.0, Quote(passage, 0, 0)
    scores = [sum(map(weight, asked & content_terms(text[start:end]))) for start, end in spans]
    index = max(range(len(spans)), key=lambda position: (scores[position], -position))
    start, end = spans[index]
    # What announces something ("Run:", a heading) is nothing without what follows.
    if (text[start:end].endswith(":") or end - start < _SHORT) and index + 1 < len(spans):
        end = spans[index + 1][1]
    return scores[index], Quote(passage, start, min(end, start + LONGEST_QUOTE))
