"""Copies of generations of the embedded store: directories that hold a table and its manifest, as the store does."""

import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings

_UNFINISHED = ".unfinished-"
_NOTES = "notes"


class LanceCopies:
    """`Copies` of the store in `store`, a directory each below `directory`; raises OSError where the disk fails."""

    def __init__(self, store: Path, directory: Path) -> None:
        self._store = store
        self._directory = directory

    def taken(self) -> Mapping[str, datetime]:
        """See `Copies`."""
        found = (path for path in self._directory.glob("*") if not path.name.startswith(_UNFINISHED))
        return {path.name: datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in found}

    def take(self, generation: str) -> None:
        """See `Copies`; a copy that was interrupted counts for nothing."""
        self._directory.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._directory))
        table, manifest = Path("tables", f"{generation}.lance"), Path("manifests", f"{generation}.ready.json")
        shutil.copytree(self._store / table, unfinished / table)
        (unfinished / manifest.parent).mkdir()
        shutil.copy2(self._store / manifest, unfinished / manifest)
        if (self._store / _NOTES).exists():
            shutil.copytree(self._store / _NOTES, unfinished / _NOTES)
        unfinished.rename(self._directory / generation)

    @contextmanager
    def restored(self, generation: str) -> Generator[KnowledgeStore]:
        """See `Copies`."""
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=self._directory) as scratch:
            beside = Path(scratch) / "store"
            shutil.copytree(self._directory / generation, beside)
            store = open_store(LanceSettings(beside))
            try:
                yield store
            finally:
                store.close()

    def drop(self, generation: str) -> None:
        """See `Copies`; what an interrupted drill left goes too."""
        for path in (self._directory / generation, *self._directory.glob(f"{_UNFINISHED}*")):
            if path.exists():
                shutil.rmtree(path)
