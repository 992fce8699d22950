"""Vectors that are there already: a passage whose text is as before is not embedded again, wherever it lies now."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agents.knowledge.chunking import chunk_id
from agents.knowledge.copies import addressed, content_key
from agents.knowledge.generation import Manifest
from agents.knowledge.store import Chunk, EmbeddedChunk, KnowledgeStore
from agents.knowledge.sync import RefreshPlan

DOCUMENTS_PER_QUERY = 200


def reuse_key(document_uri: str, searchable_text: str) -> str:
    """What tells that a document to parse holds a passage whose vector the base generation has."""
    return hashlib.sha256(f"{document_uri}\0{searchable_text}".encode()).hexdigest()[:32]


def origins(plan: RefreshPlan) -> dict[str, str]:
    """By the URI of each document to parse, the document of the base whose passages it may share.

    That is the one with the same content, where it has moved, and else its own former version or what that was a copy
    of.
    """
    if plan.base is None:
        return {}
    known = {uri: record for uri, record in plan.base.documents.items() if record.chunks}
    by_content = {content_key(record.path, record.content_hash): uri for uri, record in known.items()}
    found: dict[str, str] = {}
    for document in plan.parse:
        ref = document.ref
        uri = by_content.get(content_key(ref.path, document.content_hash), plan.base.holder(ref.uri))
        if uri in known:
            found[ref.uri] = uri
    return found


def reusable_passages(store: KnowledgeStore, plan: RefreshPlan) -> frozenset[str]:
    """The keys of all passages of the documents to parse that the base generation has, see `reuse_key`."""
    wanted: dict[str, list[str]] = {}
    for uri, origin in origins(plan).items():
        wanted.setdefault(origin, []).append(uri)
    return frozenset(
        reuse_key(uri, embedded.chunk.searchable_text)
        for embedded in _embedded(store, plan, list(wanted))
        for uri in wanted[embedded.chunk.document_uri]
    )


def with_known_vectors(store: KnowledgeStore, plan: RefreshPlan, chunks: Sequence[Chunk]) -> list[EmbeddedChunk]:
    """Chunks whose keys are among the reusable ones, with the vectors of the base generation."""
    found = origins(plan)
    needed = {found[chunk.document_uri] for chunk in chunks}
    vectors = {
        (embedded.chunk.document_uri, embedded.chunk.searchable_text): embedded.vector
        for embedded in _embedded(store, plan, sorted(needed))
    }
    return [EmbeddedChunk(chunk, vectors[found[chunk.document_uri], chunk.searchable_text]) for chunk in chunks]


def under_own_address(store: KnowledgeStore, base: Manifest, uri: str) -> Iterator[EmbeddedChunk]:
    """The chunks of a copy with their vectors, as if the copy had been stored itself.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    for embedded in store.embedded(base.generation, [base.holder(uri)]):
        chunk = addressed(embedded.chunk, uri, base.documents[uri])
        own = chunk_id(uri, chunk.content_hash, chunk.start, chunk.end)
        yield EmbeddedChunk(replace(chunk, chunk_id=own), embedded.vector)


def _embedded(store: KnowledgeStore, plan: RefreshPlan, document_uris: Sequence[str]) -> Iterable[EmbeddedChunk]:
    if plan.base is None:
        return
    for first in range(0, len(document_uris), DOCUMENTS_PER_QUERY):
        yield from store.embedded(plan.base.generation, document_uris[first : first + DOCUMENTS_PER_QUERY])
