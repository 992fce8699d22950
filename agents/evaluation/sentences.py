"""Sentences of a text by their offsets, and of a text that is still arriving."""

import re
from dataclasses import dataclass

# U+3002, U+FF01 and U+FF1F end sentences in Chinese and Japanese, without white space after them.
_TERMINATOR = re.compile(
    r"(?<![.!?])[.!?]+[\"'\u201d\u2019)\]`*]*(?=\s)|[\u3002\uff01\uff1f]+|\n[ \t]*\n"
    r"|\n(?=[ \t]*(?:[-*+•#|]|\d+[.)])[ \t])"
)
_NEW_LINE = re.compile(r"\n")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|etc|approx|incl|resp|no|fig|sec|dr|mr|mrs|ms|st)\.$", re.IGNORECASE
)
_LIST_NUMBER = re.compile(r"(?:^|\n)[ \t]*\d{1,3}[.)]$")
_LIST_MARK = re.compile(r"^(?:[-*+•]|\d{1,3}[.)])\s+")
_CITATION_MARK = re.compile(r"\s*\[\d{1,3}\]")


@dataclass(frozen=True)
class Sentence:
    """A sentence as it is shown; `separator` is what stands between it and the one before."""

    text: str
    separator: str


def sentence_spans(text: str, *, lines: bool = False) -> list[tuple[int, int]]:
    """Character offsets (end excluded) of the sentences of `text`, without the white space around them.

    Blank lines and list items end a sentence; with `lines` every line does, which is how chat models write.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for end in [*_boundaries(text, lines), len(text)]:
        piece = text[start:end]
        if stripped := piece.strip():
            first = start + len(piece) - len(piece.lstrip())
            spans.append((first, first + len(stripped)))
        start = end
    return spans


def _boundaries(text: str, lines: bool) -> list[int]:
    ends = {match.end() for match in _TERMINATOR.finditer(text) if not _continues(text, match)}
    if lines:
        ends |= {match.end() for match in _NEW_LINE.finditer(text)}
    return sorted(ends)


def _continues(text: str, match: re.Match[str]) -> bool:
    line = text.rfind("\n", 0, match.start()) + 1
    if "\n" not in match.group() and text.count("`", line, match.start()) % 2:
        return True  # within code
    if not match.group().startswith("."):
        return False
    before = text[max(0, match.start() - 12) : match.start() + 1]
    return bool(_ABBREVIATION.search(before) or _LIST_NUMBER.search(before))


class SentenceBuffer:
    """Cuts arriving text into sentences; one is handed out when the next has begun, so it is known to be whole."""

    def __init__(self) -> None:
        self._text = ""
        self._handed_out = False

    def feed(self, text: str) -> list[Sentence]:
        """Add text; returns the sentences that are now whole."""
        self._text += text
        return self._take(sentence_spans(self._text, lines=True)[:-1])

    def finish(self) -> list[Sentence]:
        """What is left, whether it ends like a sentence or not."""
        return self._take(sentence_spans(self._text, lines=True))

    def _take(self, spans: list[tuple[int, int]]) -> list[Sentence]:
        taken: list[Sentence] = []
        position = 0
        for start, end in spans:
            gap = self._text[position:start]
            separator = ("\n" if "\n" in gap else " ") if self._handed_out else ""
            position = end
            if text := _shown(self._text[start:end]):
                taken.append(Sentence(text, separator))
                self._handed_out = True
        # The gap stays in the buffer: whether it holds a line break decides the next separator.
        self._text = self._text[position:]
        return taken


def _shown(text: str) -> str:
    # List numbers and citation marks are the model's own; ours are set by the orchestrator.
    plain = _CITATION_MARK.sub("", text).strip()
    mark = _LIST_MARK.match(plain)
    return f"- {plain[mark.end() :]}" if mark else plain
