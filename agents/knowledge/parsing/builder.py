"""Writes the text of a document block by block, and remembers where its sections lie."""

from collections.abc import Sequence
from typing import NamedTuple

from agents.knowledge.documents import Section


class Heading(NamedTuple):
    """A heading where its section starts (a character offset); level 1 is the outermost."""

    start: int
    level: int
    title: str


def sections_below(headings: Sequence[Heading], text: str) -> tuple[Section, ...]:
    """The sections that headings open, each below the nearest heading of a smaller level before it.

    What precedes the first heading is a section without a path; sections without text are left out.
    """
    opened: list[Heading] = []
    starts: list[tuple[tuple[str, ...], int]] = [((), 0)]
    for heading in headings:
        opened = [*(other for other in opened if other.level < heading.level), heading]
        starts.append((tuple(other.title for other in opened), heading.start))
    ends = [start for _, start in starts[1:]] + [len(text)]
    spans = ((path, start, end) for (path, start), end in zip(starts, ends, strict=True))
    return tuple(Section(path, start, end) for path, start, end in spans if text[start:end].strip())


class TextBuilder:
    """Collects headings and blocks in reading order; blocks are parted by an empty line."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._headings: list[Heading] = []

    def heading(self, level: int, title: str) -> None:
        """Open a section; the heading is the first line of its text."""
        self._headings.append(Heading(self._length, level, title))
        self.block(title)

    def block(self, text: str, close_to_previous: bool = False) -> None:
        """Add a paragraph, list item, table or listing; `close_to_previous` leaves out the empty line before it."""
        if not text.strip():
            return
        if self._parts:
            self._append("\n" if close_to_previous else "\n\n")
        self._append(text)

    def finish(self) -> tuple[str, tuple[Section, ...]]:
        """The text and its sections."""
        text = "".join(self._parts)
        return text, sections_below(self._headings, text)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
