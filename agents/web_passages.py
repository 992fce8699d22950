"""Web results as passages: of every page the part that speaks most of the question."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from agents.evaluation.sentences import sentence_spans
from agents.evaluation.terms import content_terms, weight
from agents.knowledge.search import Passage
from agents.knowledge.store import Chunk
from agents.web_search.client import WebResult

PASSAGE_CHARACTERS = 900
"""How much of a page becomes a passage, about a paragraph or two, as of a document."""
_NO_GENERATION = ""


def web_passages(question: str, results: Sequence[WebResult]) -> tuple[Passage, ...]:
    """A passage a page, those first that share the weightiest content terms with the question; offsets are the page's.

    Pages without any text are left out.
    """
    asked = content_terms(question)
    found = [_best_part(asked, result) for result in results if result.text.strip()]
    return tuple(sorted(found, key=lambda passage: passage.score, reverse=True))


def is_of_the_web(passage: Passage) -> bool:
    """Whether the passage was found on the web; those of the knowledge base belong to a generation."""
    return passage.generation == _NO_GENERATION


def _best_part(asked: frozenset[str], result: WebResult) -> Passage:
    spans = sentence_spans(result.text)
    held = [asked & content_terms(result.text[start:end]) for start, end in spans]
    best, best_score = (0, 0), -1.0
    said = Counter[str]()
    score = 0.0
    after = 0
    # The part moves over the page: it is the sentences [index:after), and `said` is how often they say each term.
    for index, (start, _) in enumerate(spans):
        most = start + PASSAGE_CHARACTERS
        while after < len(spans) and (after == index or spans[after][1] <= most):
            score += sum(weight(term) for term in held[after] if not said[term])
            said.update(held[after])
            after += 1
        if score > best_score:
            # A sentence that is too long is cut.
            best, best_score = (start, min(spans[after - 1][1], most)), score
        said.subtract(held[index])
        score -= sum(weight(term) for term in held[index] if not said[term])
    return Passage(_chunk(result, *best), _NO_GENERATION, best_score + result.score, None, None)


def _chunk(result: WebResult, start: int, end: int) -> Chunk:
    return Chunk(
        chunk_id="",
        document_uri=result.url,
        source="web",
        path=urlsplit(result.url).hostname or "",
        title=result.title,
        media_type="text/plain",
        heading_path=(),
        text=result.text[start:end],
        start=start,
        end=end,
        ordinal=0,
        content_hash="",
    )
