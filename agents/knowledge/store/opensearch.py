"""Generations in OpenSearch: one index a generation, an alias that moves atomically, manifests in a small index.

A generation exists while its manifest does: `create` writes it before the index, and `drop` removes it before the
index. So an index without manifest is only ever the leftover of a crash, and a manifest without index, or with half a
copy of another one, is only ever that of a build, which `create` takes up. A sealed manifest without index is what a
restoration of some of the indices leaves: it is of no generation.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opensearchpy import NotFoundError, TransportError, helpers

from agents.knowledge.generation import BUILT_NAME, GENERATION_NAME, Manifest
from agents.knowledge.store import Chunk, EmbeddedChunk, Filters, Hit, Legs, UnknownGeneration
from agents.knowledge.store.opensearch_client import open_client
from agents.knowledge.store.opensearch_copy import IndexCopies
from agents.knowledge.store.opensearch_errors import server_errors, write_all
from agents.knowledge.store.opensearch_index import (
    CHUNK_FIELDS,
    actions_from_chunks,
    chunk_from_source,
    generation_index,
    make_index,
    make_searchable,
)
from agents.knowledge.store.opensearch_manifests import ManifestIndex
from agents.knowledge.store.opensearch_notes import NoteIndex
from agents.knowledge.store.opensearch_query import by_document, count_query, counts_from_answer, hybrid_query
from agents.knowledge.store.settings import OpenSearchSettings

CHUNKS_PER_PAGE = 500
MANIFESTS, NOTES = "manifests", "notes"


class OpenSearchStore:
    """A `KnowledgeStore` on an OpenSearch server with the k-NN plugin. Threads may share one."""

    def __init__(self, settings: OpenSearchSettings) -> None:
        """Prepare the connection; nothing is asked of the server yet."""
        self._settings = settings
        self._alias = settings.index_prefix
        self._client = open_client(settings)
        self._manifests = ManifestIndex(self._client, f"{self._alias}-{MANIFESTS}")
        self._notes = NoteIndex(self._client, f"{self._alias}-{NOTES}")
        self._copies = IndexCopies(self._client, settings.replicas, str(self))

    def create(self, manifest: Manifest) -> None:
        """Make the empty index of a generation in state `building`; one that exists already can be written again.

        One that a crash left without its index, or whose copy from another generation was cut off, is made anew.

        Raises:
            ValueError: the generation's name is one that another index of the store has.
        """
        if manifest.generation in (MANIFESTS, NOTES):
            raise ValueError(f"a generation cannot be called {manifest.generation!r}: that index holds something else")
        index = self._index(manifest.generation)
        with self._server_errors():
            self._manifests.ensure_index()
            if self._manifests.state(manifest.generation) is None:
                self._manifests.write(manifest)
            elif self._client.indices.exists(index=index) and not self._copies.is_cut_off(index):
                # The crash can have come between the block and the manifest of `seal`.
                self._client.indices.put_settings(index=index, body={"index": {"blocks": {"write": None}}})
                return
            self._client.indices.delete(index=index, params={"ignore_unavailable": "true"})
            body = generation_index(index, manifest.embedding.dimension, self._settings.shards, self._settings.replicas)
            make_index(self._client, index, body)

    def add(self, generation: str, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks with their vectors, in place of those of the same id.

        Raises:
            ValueError: the generation is sealed, or the server refuses a chunk (wrong vector length).
        """
        self._require_unsealed(generation)
        unique = {embedded.chunk.chunk_id: embedded for embedded in chunks}
        with self._server_errors(generation):
            write_all(self._client, actions_from_chunks(unique.values(), self._index(generation)), str(self))

    def copy(self, origin: str, generation: str, document_uris: Sequence[str]) -> int:
        """Copy all chunks of these documents from another generation, inside the server; returns how many.

        Where that is most of the generation, and nothing was written yet, it is cloned.
        """
        self._require_unsealed(generation)
        source, target, wanted = self._index(origin), self._index(generation), set(document_uris)
        held = self.chunk_counts(origin)
        copied = sum(chunks for (uri, _), chunks in held.items() if uri in wanted)
        with self._server_errors(origin):
            if 2 * copied > sum(held.values()) and self._copies.can_clone(source, target):
                self._copies.clone(source, target, sorted({uri for uri, _ in held} - wanted))
                return copied
            return self._copies.copy_each(source, target, document_uris)

    def chunk_counts(self, generation: str) -> dict[tuple[str, str], int]:
        """How many chunks there are per (document URI, content hash)."""
        index = self._index(generation)
        counts: dict[tuple[str, str], int] = {}
        after: dict[str, str] | None = None
        with self._server_errors(generation):
            make_searchable(self._client, index)
            while True:
                answer = self._client.search(index=index, body=count_query(after))
                page, after = counts_from_answer(answer)
                counts |= page
                if after is None:
                    return counts

    def delete_documents(self, generation: str, document_uris: Sequence[str]) -> None:
        """Remove all chunks of these documents from a generation in state `building`."""
        self._require_unsealed(generation)
        index = self._index(generation)
        with self._server_errors(generation):
            make_searchable(self._client, index)
            self._copies.delete(index, document_uris)

    def seal(self, manifest: Manifest) -> None:
        """Make all chunks searchable, check their number, refuse further writes, and store the manifest as `ready`.

        Raises:
            ValueError: the index does not hold `manifest.chunk_count` chunks.
        """
        generation, index = manifest.generation, self._index(manifest.generation)
        with self._server_errors(generation):
            make_searchable(self._client, index)
            found = self._client.count(index=index)["count"]
            if found != manifest.chunk_count:
                raise ValueError(
                    f"generation {generation!r} holds {found} chunks, its manifest says {manifest.chunk_count}"
                )
            self._client.indices.put_settings(index=index, body={"index": {"blocks": {"write": True}}})
            self._manifests.write(manifest.model_copy(update={"state": "ready"}))

    def promote(self, generation: str) -> None:
        """Make a `ready` generation the serving one, by moving the alias."""
        target = self._index(generation)
        with self._server_errors(generation):
            if self._manifests.read(generation).state != "ready":
                raise ValueError(f"generation {generation!r} is still building; seal it before it is promoted")
            moves: list[dict[str, Any]] = [{"add": {"index": target, "alias": self._alias}}]
            moves += [
                {"remove": {"index": index, "alias": self._alias}} for index in self._aliased() if index != target
            ]
            self._client.indices.update_aliases(body={"actions": moves})

    def serving(self) -> Manifest | None:
        """The manifest of the generation that the alias points to; one round trip once its manifest is known."""
        with self._server_errors():
            indices = self._aliased()
            return self._manifests.read(indices[0].removeprefix(f"{self._alias}-")) if indices else None

    def manifests(self) -> list[Manifest]:
        """All generations, newest first."""
        with self._server_errors():
            found = self._manifests.all()
            held = self._generations_held() if found else set[str]()
            return [manifest for manifest in found if manifest.state == "building" or manifest.generation in held]

    def drop(self, generation: str) -> None:
        """Delete a generation that is not serving (ValueError when it is); nothing when it is gone already."""
        index = self._index(generation)
        with self._server_errors():
            if index in self._aliased():
                raise ValueError(f"generation {generation!r} is serving; promote another one before it is dropped")
            self._manifests.remove(generation)
            self._client.indices.delete(index=index, params={"ignore_unavailable": "true"})

    def drop_leftovers(self) -> list[str]:
        """Delete indices without manifest that do not serve, and sealed manifests without index; returns the names."""
        with self._server_errors():
            held = self._generations_held()
            sealed = [manifest.generation for manifest in self._manifests.all() if manifest.state == "ready"]
            lost = [name for name in sealed if name not in held]
            for name in lost:
                self._manifests.remove(name)
            answer = self._client.indices.get_alias(index=f"{self._alias}-*")
            others = {index.removeprefix(f"{self._alias}-") for index, found in answer.items() if not found["aliases"]}
            # Other indices below the prefix are not ours to delete, such as those of a store called `<prefix>-drill`.
            built = sorted(name for name in others if re.fullmatch(BUILT_NAME, name))
            left = [name for name in built if self._manifests.state(name) is None]
            for name in left:
                self._client.indices.delete(index=self._index(name), params={"ignore_unavailable": "true"})
        return left + lost

    def search(self, generation: str, text: str, vector: Sequence[float], limit: int, filters: Filters) -> Legs:
        """Both legs in one round trip: BM25, and cosine similarity by the HNSW graph."""
        with self._server_errors(generation):
            body = hybrid_query(text, vector, limit, filters)
            answers = self._client.msearch(index=self._index(generation), body=body)["responses"]
            for answer in answers:
                if "error" in answer:
                    refused = NotFoundError if answer["status"] == 404 else TransportError
                    raise refused(answer["status"], answer["error"]["type"], answer["error"])
        lexical, dense = (answer["hits"]["hits"] for answer in answers)
        return Legs(
            lexical=[Hit(chunk_from_source(hit["_source"]), hit["_score"]) for hit in lexical],
            # The server's score is (1 + cosine) / 2.
            dense=[Hit(chunk_from_source(hit["_source"]), 2 * hit["_score"] - 1) for hit in dense],
        )

    def document(self, generation: str, document_uri: str) -> list[Chunk]:
        """All chunks of one document, in order; empty when the generation does not hold it."""
        query = {"query": {"term": {"document_uri": document_uri}}, "sort": ["ordinal"]}
        with self._server_errors(generation):
            return [chunk_from_source(source) for source in self._scan(generation, query)]

    def embedded(self, generation: str, document_uris: Sequence[str]) -> Iterator[EmbeddedChunk]:
        """All chunks of these documents with their vectors, a page in memory at a time."""
        with self._server_errors(generation):
            for query in by_document(document_uris):
                body = {"query": query, "sort": ["chunk_id"]}
                for source in self._scan(generation, body, [*CHUNK_FIELDS, "vector"]):
                    yield EmbeddedChunk(chunk_from_source(source), source["vector"])

    def chunks(self, generation: str) -> Iterator[Chunk]:
        """Every chunk of a generation in the order of their ids, a page in memory at a time."""
        with self._server_errors(generation):
            for source in self._scan(generation, {"sort": ["chunk_id"]}):
                yield chunk_from_source(source)

    def note(self, name: str) -> str | None:
        """What was last written under this name; None when nothing was."""
        with self._server_errors():
            return self._notes.read(name)

    def write_note(self, name: str, text: str) -> None:
        """Keep a small text under a name, in place of the former one."""
        with self._server_errors():
            self._notes.write(name, text)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __str__(self) -> str:
        return f"the OpenSearch store at {self._settings.endpoint}"

    def _index(self, generation: str) -> str:
        if generation in (MANIFESTS, NOTES) or not re.fullmatch(GENERATION_NAME, generation):  # `*` means all of them
            raise UnknownGeneration(f"{generation!r} is not the name of a generation")
        return f"{self._alias}-{generation}"

    def _aliased(self) -> list[str]:
        # Without naming indices one asks for all of them, which a server with access control refuses.
        answer = self._client.indices.get_alias(index=f"{self._alias}-*", name=self._alias, params={"ignore": 404})
        return [] if "error" in answer else list(answer)

    def _generations_held(self) -> set[str]:
        indices = self._client.indices.get_alias(index=f"{self._alias}-*")
        return {index.removeprefix(f"{self._alias}-") for index in indices}

    def _require_unsealed(self, generation: str) -> None:
        with self._server_errors(generation):
            # A write to an index that is not there would make one, with a mapping that the server guesses.
            state = self._manifests.state(generation)
            if state is None or not self._client.indices.exists(index=self._index(generation)):
                raise self._manifests.unknown(generation)
        if state == "ready":
            raise ValueError(f"generation {generation!r} is sealed and never changes; build a new one")

    def _scan(
        self, generation: str, query: dict[str, Any], fields: Sequence[str] = CHUNK_FIELDS
    ) -> Iterator[dict[str, Any]]:
        query = query | {"_source": list(fields)}
        hits = helpers.scan(
            self._client, index=self._index(generation), query=query, size=CHUNKS_PER_PAGE, preserve_order=True
        )
        return (hit["_source"] for hit in hits)

    @contextmanager
    def _server_errors(self, generation: str | None = None) -> Generator[None]:
        with server_errors(str(self)):
            try:
                yield
            except (TransportError, helpers.ScanError) as error:
                if generation is None or not self._is_gone(error, generation):
                    raise
                raise self._manifests.unknown(generation) from error

    def _is_gone(self, error: TransportError | helpers.ScanError, generation: str) -> bool:
        """Whether it failed because the generation is not there: a query that its removal meets fails with 503.

        A 404 alone does not say so: a server that lost its place between two pages answers the same.
        """
        told = isinstance(error, helpers.ScanError) or error.status_code in (404, 503)
        return told and not self._client.indices.exists(index=self._index(generation))
