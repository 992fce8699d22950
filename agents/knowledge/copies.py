"""Documents with the same content: their chunks are stored once, under the first of their addresses."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from agents.knowledge.documents import DocumentRef
from agents.knowledge.generation import DocumentRecord, Manifest
from agents.knowledge.store import Chunk, Filters, KnowledgeStore


def content_key(path: str, content_hash: str | None) -> tuple[str | None, str]:
    """What is equal of two documents that are the same: the bytes, and the name's ending, which decides on the parser.

    `content_hash` is that of the bytes.
    """
    return content_hash, PurePosixPath(path).suffix.lower()


def first_of_the_same(documents: Iterable[tuple[DocumentRef, str | None]]) -> dict[str, str]:
    """By the URI of each copy, the first URI of the documents with its content; `documents` have their content hash.

    It follows from the documents alone, so that an interrupted build is taken up as it was begun.
    """
    first: dict[tuple[str | None, str], str] = {}
    same_as: dict[str, str] = {}
    for ref, content_hash in sorted(documents, key=lambda document: document[0].uri):
        uri = first.setdefault(content_key(ref.path, content_hash), ref.uri)
        if uri != ref.uri:
            same_as[ref.uri] = uri
    return same_as


def document_of(store: KnowledgeStore, generation: str, uri: str) -> list[Chunk]:
    """All chunks of a document, also of a copy; empty when the generation does not hold it.

    Raises:
        UnknownGeneration: the store does not have it, or no longer.
        StoreUnavailable: the store does not answer.
    """
    if chunks := store.document(generation, uri):
        return chunks
    for manifest in store.manifests():
        if manifest.generation == generation and (copy := manifest.copies.get(uri)) is not None:
            return [addressed(chunk, uri, copy) for chunk in store.document(generation, manifest.holder(uri))]
    return []


def stored_paths(manifest: Manifest) -> dict[str, str]:
    """By the path of each copy, that of the document under which its passages are found.

    Where two sources have a document of one path, the one that has passages of its own is meant.
    """
    own = {record.path for record in manifest.documents.values() if record.chunks}
    return {
        copy.path: manifest.documents[manifest.holder(uri)].path
        for uri, copy in manifest.copies.items()
        if copy.path not in own
    }


def asked_copies(manifest: Manifest, filters: Filters) -> dict[str, str]:
    """By the address under which chunks are stored, the first of their copies that the filters ask for.

    Left out is what the filters let pass under that address itself.
    """
    if not filters.sources and not filters.document_uris:
        return {}
    asked: dict[str, str] = {}
    for uri, copy in manifest.copies.items():
        stored = manifest.holder(uri)
        if _passes(uri, copy, filters) and not _passes(stored, manifest.documents[stored], filters):
            asked.setdefault(stored, uri)
    return asked


def addressed(chunk: Chunk, uri: str, record: DocumentRecord) -> Chunk:
    """The chunk as one of the document `uri`, which has the same content."""
    return replace(chunk, document_uri=uri, source=record.source, path=record.path)


def _passes(uri: str, record: DocumentRecord, filters: Filters) -> bool:
    in_sources = not filters.sources or record.source in filters.sources
    return in_sources and (not filters.document_uris or uri in filters.document_uris)
