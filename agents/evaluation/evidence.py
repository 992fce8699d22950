"""The pieces of a passage that can support a claim: sentences, pairs of neighbouring sentences, rows of tables."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from agents.evaluation.claims import Claim, claim_of
from agents.evaluation.sentences import sentence_spans

LONGEST_QUOTE = 600
"""Characters; neighbouring sentences are taken together as evidence only up to this length."""
_RULE = ("|-", "| -", "|:", "| :")


@dataclass(frozen=True)
class Window:
    """The slice `[start:end)` of a text with its claim; a row of a table knows the words of its columns."""

    start: int
    end: int
    claim: Claim
    columns: frozenset[str]


@lru_cache(maxsize=256)
def windows(text: str) -> tuple[Window, ...]:
    """All sentences of `text` but its headings, then all pairs of neighbouring ones up to `LONGEST_QUOTE`."""
    spans = sentence_spans(text)
    # Headings and heads of tables say nothing by themselves; rows of a table have nothing to do with each other.
    heads = {a for (a, _), (b, _) in pairwise(spans) if text.startswith(_RULE, b)}
    said = [span for span in spans if text[span[0]] != "#" and span[0] not in heads]
    pairs = [
        (a, end)
        for (a, _), (b, end) in pairwise(spans)
        if end - a <= LONGEST_QUOTE and not {text[a], text[b]} & {"#", "|"}
    ]
    columns = _columns(text, spans)
    return tuple(
        Window(start, end, claim_of(text[start:end]), columns.get(start, frozenset())) for start, end in [*said, *pairs]
    )


def _columns(text: str, spans: list[tuple[int, int]]) -> dict[int, frozenset[str]]:
    """The words in the names of a table's columns, by the offset of each of its rows."""
    columns: dict[int, frozenset[str]] = {}
    header = frozenset[str]()
    for (start, end), (following, _) in pairwise(spans):
        if text.startswith(_RULE, following):
            header = frozenset(claim_of(text[start:end]).stems)
        elif text[following] != "|":
            header = frozenset()
        else:
            columns[following] = header
    return columns
