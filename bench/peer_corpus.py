"""Documents for a comparison of ways to ingest: ten sections each, and every section says which one it is."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tasks.environment import REPOSITORY

SECTIONS = 10
WORDS = 60
MARK = re.compile(r"Passage (\d+-\d+-\d+)")
_WORD = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True)
class PeerCorpus:
    """Documents below `directory`; their words are those of this project's documentation, in an order of chance."""

    directory: Path

    def write_all(self, numbers: Iterable[int]) -> None:
        """Write these documents."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for number in numbers:
            self._write(number, [0] * SECTIONS)

    def edit(self, numbers: Iterable[int], section: int, edition: int) -> None:
        """Write these documents again, with one section of another edition."""
        for number in numbers:
            self._write(number, [edition if each == section else 0 for each in range(SECTIONS)])

    def path(self, number: int, suffix: str = "") -> Path:
        """Where a document lies."""
        return self.directory / f"{number:04d}{suffix}.md"

    def passages(self) -> Counter[tuple[str, str]]:
        """What an index has to hold: every passage once, as pairs of file name and mark."""
        texts = {path.name: path.read_text(encoding="utf-8") for path in self.directory.glob("*.md")}
        return Counter((name, mark) for name, text in texts.items() for mark in MARK.findall(text))

    def _write(self, number: int, editions: Sequence[int]) -> None:
        sections = [_section(number, section, edition) for section, edition in enumerate(editions)]
        self.path(number).write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _section(number: int, section: int, edition: int) -> str:
    mark = f"{number}-{section}-{edition}"
    words = random.Random(mark).choices(_vocabulary(), k=WORDS)  # noqa: S311 - to be the same every time
    return f"## Section {number} {section}\n\nPassage {mark} says: {' '.join(words)}."


@cache
def _vocabulary() -> list[str]:
    return _WORD.findall((REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8"))
