"""What a source of documents is, and what can be wrong with one.

Trouble with a source stops the refresh (`SourceError`): documents that cannot be listed must not look deleted.
Trouble with one document (`DocumentUnreadable`) is reported, and the others go on.
"""

from collections.abc import Iterator
from typing import Protocol

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.globs import Globs

MEBIBYTE = 1024 * 1024


class SourceError(Exception):
    """A source as a whole cannot be used; says which one and why."""


class SourceMissing(SourceError):
    """The directory or bucket does not exist."""


class SourceEmpty(SourceError):
    """The source holds no document that its `include` patterns match."""


class SourceUnavailable(SourceError):
    """The source is there, but cannot be listed or read now: no permission, or no connection."""


class SourceReader(Protocol):
    """One source of documents."""

    def list(self) -> Iterator[DocumentRef]:
        """The documents, ordered by path. Raises SourceError, SourceEmpty only at the end of the iteration."""
        ...

    def read(self, ref: DocumentRef, max_bytes: int) -> bytes:
        """The content of one document.

        Raises DocumentUnreadable when it is larger than `max_bytes` (without reading it), gone or forbidden,
        and SourceUnavailable when the source does not answer.
        """
        ...


def nothing_matches(name: str, place: str, globs: Globs, seen: int) -> SourceEmpty:
    """The error of a source `name` at `place` that holds `seen` files, none of which is wanted."""
    what = f"none of its {seen} files matches include = {list(globs.patterns)!r}" if seen else "it holds no file"
    return SourceEmpty(f"source {name!r}: no documents in {place!r}: {what}")


def require_size(ref: DocumentRef, size_bytes: int, max_bytes: int) -> None:
    """Raise DocumentUnreadable for a document that is larger than `max_bytes`."""
    if size_bytes > max_bytes:
        limit = f"{max_bytes / MEBIBYTE:.1f} MiB that max_document_mib allows"
        raise DocumentUnreadable(ref.uri, f"its {size_bytes / MEBIBYTE:.1f} MiB are more than the {limit}")
