"""The interface behind which knowledge generations lie; `lance` and `opensearch` implement it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agents.knowledge.generation import Manifest


@dataclass(frozen=True)
class Chunk:
    """A passage of a document, the unit that is embedded, searched and cited.

    `chunk_id` follows from document, content and position alone. `text` is the slice
    `[start:end)` of the parsed document's text; `ordinal` counts chunks from 0 within the document.
    `content_hash` is that of the document version it was cut from.
    """

    chunk_id: str
    document_uri: str
    source: str
    path: str
    title: str
    media_type: str
    heading_path: tuple[str, ...]
    text: str
    start: int
    end: int
    ordinal: int
    content_hash: str

    @property
    def searchable_text(self) -> str:
        """What BM25 indexes and the embedding model reads: the heading path, then the passage."""
        heading = " > ".join(self.heading_path)
        return f"{heading}\n{self.text}" if heading else self.text


@dataclass(frozen=True)
class EmbeddedChunk:
    """A chunk with its unit-length vector (shape: the embedding model's dimension, float32)."""

    chunk: Chunk
    vector: Sequence[float]


@dataclass(frozen=True)
class Filters:
    """Restricts a search; an empty tuple does not restrict. Values of one field are alternatives.

    Documents of `also` pass whatever `sources` and `document_uris` say: what these ask for lies under their addresses.
    """

    sources: tuple[str, ...] = ()
    document_uris: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A chunk found by one leg; `score` is BM25 in the lexical leg and cosine (-1..1) in the dense leg."""

    chunk: Chunk
    score: float


@dataclass(frozen=True)
class Legs:
    """The two rankings of one query, best first."""

    lexical: Sequence[Hit] = field(default_factory=tuple[Hit, ...])
    dense: Sequence[Hit] = field(default_factory=tuple[Hit, ...])


class StoreUnavailable(Exception):
    """The store does not answer; says which one, where, and what it said."""


class UnknownGeneration(Exception):
    """The generation asked for is not in the store; says which ones are."""


class KnowledgeStore(Protocol):
    """Keeps generations. Writes happen in one process at a time; any number of processes read.

    A generation passes through `create` -> `add`/`copy` -> `seal` -> `promote`. Every verb can be
    repeated after a crash at any point: `add` and `copy` replace chunks of the same id.
    All verbs raise `StoreUnavailable`, and those that name a generation raise `UnknownGeneration`.
    """

    def create(self, manifest: Manifest) -> None:
        """Make the empty index of a generation in state `building`; nothing when it exists already."""
        ...

    def add(self, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks with their vectors; the chunks are durable when this returns."""
        ...

    def copy(self, origin: str, generation: str, document_uris: Sequence[str]) -> int:
        """Copy all chunks of these documents, vectors included, from another generation; returns how many."""
        ...

    def chunk_counts(self, generation: str) -> dict[tuple[str, str], int]:
        """How many chunks there are per (document URI, content hash); tells a resumed build what is done."""
        ...

    def delete_documents(self, generation: str, document_uris: Sequence[str]) -> None:
        """Remove all chunks of these documents from a generation in state `building`."""
        ...

    def seal(self, manifest: Manifest) -> None:
        """Build the search structures, check the number of chunks against the manifest, and store it as `ready`.

        Raises ValueError with both numbers when they differ.
        """
        ...

    def promote(self, generation: str) -> None:
        """Make a `ready` generation the one that readers are served, atomically."""
        ...

    def serving(self) -> Manifest | None:
        """The manifest of the generation that readers are served; None before the first promotion."""
        ...

    def manifests(self) -> list[Manifest]:
        """All generations, newest first."""
        ...

    def drop(self, generation: str) -> None:
        """Delete a generation that is not serving (ValueError when it is); nothing when it is gone already."""
        ...

    def drop_leftovers(self) -> list[str]:
        """Delete what a crash in `create` or `drop` left of generations that are not listed; returns their names."""
        ...

    def search(self, generation: str, text: str, vector: Sequence[float], limit: int, filters: Filters) -> Legs:
        """Both legs of a hybrid query over one generation, `limit` hits each at most."""
        ...

    def document(self, generation: str, document_uri: str) -> list[Chunk]:
        """All chunks of one document, in order; empty when the generation does not hold it."""
        ...

    def embedded(self, generation: str, document_uris: Sequence[str]) -> Iterator[EmbeddedChunk]:
        """All chunks of these documents with their vectors, without loading all at once."""
        ...

    def chunks(self, generation: str) -> Iterator[Chunk]:
        """Every chunk of a generation, in a stable order, without loading all at once."""
        ...

    def note(self, name: str) -> str | None:
        """What was last written under this name beside the generations; None when nothing was."""
        ...

    def write_note(self, name: str, text: str) -> None:
        """Keep a small text under a name beside the generations, in place of the former one; it is durable then."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


__all__ = [
    "Chunk",
    "EmbeddedChunk",
    "Filters",
    "Hit",
    "KnowledgeStore",
    "Legs",
    "StoreUnavailable",
    "UnknownGeneration",
]
