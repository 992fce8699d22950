"""Answers by quotation: the sentences of the best passages that speak of the question."""

from collections.abc import Sequence

from agents.evaluation.evidence import LONGEST_QUOTE
from agents.evaluation.grounding import Quote
from agents.evaluation.sentences import sentence_spans
from agents.evaluation.terms import content_terms, weight
from agents.knowledge.search import Passage

MOST_QUOTES = 3
TO_THE_POINT = 0.5
"""An answer that is to the point holds at least this share of what the best quote holds of the question."""
NEAR_THE_BEST = 0.8
"""A further passage is quoted when its best sentence holds at least this share of what the best of all holds."""


def best_quotes(question: str, passages: Sequence[Passage]) -> list[Quote]:
    """Up to three verbatim quotes, one a passage, of the passages as ranked; empty only when there is no text.

    A passage is quoted for the sentence that shares the weightiest content terms with the question, the heading above
    it read with it. When no passage shares any, the best passage is quoted from its beginning.
    """
    asked = content_terms(question)
    found = [best for passage in passages[:MOST_QUOTES] if (best := _best_sentence(asked, passage))]
    most = max((score for score, _ in found), default=0.0)
    if most == 0.0:
        return [quote for _, quote in found[:1]]
    return [quote for score, quote in found if score >= NEAR_THE_BEST * most]


def is_to_the_point(question: str, quote: Quote, passages: Sequence[Passage]) -> bool:
    """Whether the words of `quote` speak of the question, with the headings above, as the best ones found do.

    A model may repeat a sentence that is true and has nothing to do with what was asked.
    """
    asked = content_terms(question)
    most = max((best[0] for passage in passages[:MOST_QUOTES] if (best := _best_sentence(asked, passage))), default=0.0)
    spoken = content_terms(quote.text) | content_terms(" ".join(quote.passage.chunk.heading_path[-1:]))
    return sum(map(weight, asked & spoken)) >= TO_THE_POINT * most > 0


def _best_sentence(asked: frozenset[str], passage: Passage) -> tuple[float, Quote] | None:
    text = passage.chunk.text
    heading, best = frozenset[str](), None
    spans = sentence_spans(text)
    for index, (start, end) in enumerate(spans):
        terms = content_terms(text[start:end])
        if text[start] == "#":
            heading = terms
            continue
        score = sum(map(weight, asked & (terms | heading)))
        if best is None or score > best[0]:
            best = (score, Quote(passage, start, min(_whole(text, spans, index), start + LONGEST_QUOTE)))
    return best


def _whole(text: str, spans: list[tuple[int, int]], index: int) -> int:
    """Where a quote ends that begins with this sentence: an announcement takes along what it announces."""
    start, end = spans[index]
    announces = text[start:end].endswith(":")
    table = text[start] == "|"
    for following, following_end in spans[index + 1 :]:
        if not (announces or (table and text[following] == "|")):
            break
        end, announces = following_end, False
    return end
