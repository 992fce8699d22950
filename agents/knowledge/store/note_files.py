"""The notes of an embedded store, one file each."""

import re
from pathlib import Path

from agents.knowledge.generation import GENERATION_NAME
from agents.knowledge.store.replaced_file import replace_file


class NoteFiles:
    """Reads and writes small texts below `directory`. One process writes, any number of them read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, name: str) -> str | None:
        """What was last written under this name; None when nothing was."""
        try:
            return self._path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """Replace what was written under this name."""
        replace_file(self._path(name), text.encode())

    def _path(self, name: str) -> Path:
        if not re.fullmatch(GENERATION_NAME, name):  # `../..` would lead out of the directory
            raise ValueError(f"{name!r} is not the name of a note")
        return self._directory / f"{name}.json"
