"""A small knowledge base of real Markdown, cut at headings, in a real LanceDB store."""

import re
from datetime import UTC, datetime
from pathlib import Path

from agents.knowledge.generation import DocumentRecord, EmbeddingIdentity, Manifest
from agents.knowledge.store import Chunk, EmbeddedChunk, KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings
from tests.agents.scripted_gateway import DIMENSION, MODEL, embedding

CORPUS = Path(__file__).parent / "corpus"
IDENTITY = EmbeddingIdentity(model=MODEL, fingerprint="f" * 64, dimension=DIMENSION)


def corpus_chunks() -> list[Chunk]:
    return [chunk for path in sorted(CORPUS.glob("*.md")) for chunk in chunks_of(path.name, path.read_text())]


def chunks_of(name: str, text: str) -> list[Chunk]:
    title = text.partition("\n")[0].removeprefix("# ")
    chunks: list[Chunk] = []
    for match in re.finditer(r"^## (.+)\n\n((?:(?!^## ).*\n?)+)", text, re.MULTILINE):
        start = match.start(2)
        passage = match[2].rstrip()
        chunks.append(
            Chunk(
                chunk_id=f"{name}#{len(chunks)}",
                document_uri=f"file:///corpus/{name}",
                source="documentation",
                path=name,
                title=title,
                media_type="text/markdown",
                heading_path=(title, match[1]),
                text=passage,
                start=start,
                end=start + len(passage),
                ordinal=len(chunks),
                content_hash="0" * 64,
            )
        )
    return chunks


def build_generation(
    directory: Path, generation: str, chunks: list[Chunk], identity: EmbeddingIdentity = IDENTITY
) -> Manifest:
    """Write, seal and promote one generation in an embedded store."""
    store = open_store(LanceSettings(directory))
    manifest = write_generation(store, generation, chunks, identity)
    store.close()
    return manifest


def write_generation(
    store: KnowledgeStore, generation: str, chunks: list[Chunk], identity: EmbeddingIdentity
) -> Manifest:
    """Write, seal and promote one generation."""
    documents = {
        uri: DocumentRecord(
            source="documentation",
            path=uri.rpartition("/")[2],
            content_hash="0" * 64,
            chunks=sum(chunk.document_uri == uri for chunk in chunks),
        )
        for uri in {chunk.document_uri for chunk in chunks}
    }
    manifest = Manifest(
        generation=generation,
        state="building",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        inputs_digest=generation,
        sources={"documentation": "file:///corpus"},
        chunker="test",
        embedding=identity,
        documents=documents,
        chunk_count=len(chunks),
        git_commit="abc1234",
        flow_run_id="11111111",
    )
    store.create(manifest)
    store.add(generation, [EmbeddedChunk(chunk, embedding(chunk.searchable_text, identity.model)) for chunk in chunks])
    store.seal(manifest)
    store.promote(generation)
    return manifest
