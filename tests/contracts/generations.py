"""Small generations for the contract suite: passages with vectors that say what they are about."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from agents.knowledge.generation import DocumentRecord, EmbeddingIdentity, Manifest
from agents.knowledge.store import Chunk, EmbeddedChunk, KnowledgeStore
from agents.knowledge_base import VectorBy

TOPICS = ("upgrade", "cost", "network", "storage")
DIMENSION = len(TOPICS)
EMBEDDING = EmbeddingIdentity(model="topics", fingerprint="0" * 64, dimension=DIMENSION)
FIRST_CREATED = datetime(2030, 1, 1, tzinfo=UTC)


def vector(*topics: str) -> list[float]:
    """The unit vector that points equally at these topics."""
    return [float(topic in topics) / math.sqrt(len(topics)) for topic in TOPICS]


def vector_by(*topics: str) -> VectorBy:
    """A question that points at these topics, whatever model is asked."""

    async def by(_: EmbeddingIdentity) -> list[float]:
        return vector(*topics)

    return by


def passage(document: str, ordinal: int, text: str, topics: Sequence[str], **values: str) -> EmbeddedChunk:
    """A chunk of `document`; `values` replace source, media type or content hash."""
    chunk = Chunk(
        chunk_id=f"{document}#{ordinal}",
        document_uri=f"file:///docs/{document}",
        source=values.get("source", "documentation"),
        path=document,
        title=document.title(),
        media_type=values.get("media_type", "text/markdown"),
        heading_path=("Guide", document),
        text=text,
        start=ordinal * 100,
        end=ordinal * 100 + len(text),
        ordinal=ordinal,
        content_hash=values.get("content_hash", "a" * 64),
    )
    return EmbeddedChunk(chunk, vector(*topics))


GUIDE = (
    passage("upgrade.md", 0, "Move the cluster one minor version at a time.", ["upgrade"]),
    passage("upgrade.md", 1, "Set KUBEBUILDER_ASSETS in prefect.yaml before running.", ["upgrade", "storage"]),
    passage("cost.html", 0, "Tags say who pays for each node.", ["cost"], media_type="text/html", source="finance"),
    passage("network.md", 0, "Nodes in three zones share one gateway.", ["network"]),
)


def manifest(name: str, chunks: Sequence[EmbeddedChunk], age: int = 0) -> Manifest:
    """The manifest of a generation of these chunks; a higher `age` is newer."""
    uris = {embedded.chunk.document_uri: embedded.chunk for embedded in chunks}
    documents = {
        uri: DocumentRecord(
            source=chunk.source,
            path=chunk.path,
            content_hash=chunk.content_hash,
            chunks=sum(other.chunk.document_uri == uri for other in chunks),
        )
        for uri, chunk in uris.items()
    }
    return Manifest(
        generation=name,
        state="building",
        created_at=FIRST_CREATED + timedelta(hours=age),
        inputs_digest="inputs",
        sources={"documentation": "file:///docs"},
        chunker="1",
        embedding=EMBEDDING,
        documents=documents,
        chunk_count=len({embedded.chunk.chunk_id for embedded in chunks}),
        git_commit=None,
        flow_run_id=None,
    )


def build(store: KnowledgeStore, name: str, chunks: Sequence[EmbeddedChunk] = GUIDE, age: int = 0) -> Manifest:
    """Create, fill and seal a generation; returns its manifest as it is then."""
    building = manifest(name, chunks, age)
    store.create(building)
    store.add(name, chunks)
    store.seal(building)
    return building.model_copy(update={"state": "ready"})
