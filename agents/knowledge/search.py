"""Hybrid search over one generation: both legs from the store, fused here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from agents.knowledge.copies import addressed, asked_copies
from agents.knowledge.fusion import FusionSettings, fuse
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.store import Chunk, Filters, Hit, KnowledgeStore


class EmbeddingMismatch(Exception):
    """The query was embedded by another model than the generation; says which two."""


@dataclass(frozen=True)
class LegPosition:
    """Where one leg ranked a passage (from 1), and its score there: BM25, or cosine (-1..1)."""

    rank: int
    score: float


@dataclass(frozen=True)
class Passage:
    """A chunk found by a hybrid search, with what each leg made of it (None: the leg did not find it).

    `score` is the fused one; it orders the passages of one query and says nothing across queries.
    """

    chunk: Chunk
    generation: str
    score: float
    lexical: LegPosition | None
    dense: LegPosition | None


def hybrid_search(
    store: KnowledgeStore,
    manifest: Manifest,
    text: str,
    vector: Sequence[float],
    embedding: EmbeddingIdentity,
    settings: FusionSettings,
    limit: int,
    filters: Filters | None = None,
) -> list[Passage]:
    """Find the `limit` best passages of the generation that `manifest` describes, best first.

    `vector` is the unit-length embedding of `text`, and `embedding` says which model made it. A passage of documents
    with the same content names the one that `filters` ask for, and else the one under which it is stored.

    Raises:
        EmbeddingMismatch: `embedding` is not the model that made the generation's vectors.
        UnknownGeneration: the generation was dropped meanwhile; read `store.serving()` again.
        StoreUnavailable: the store does not answer.
    """
    require_embedding(manifest, [embedding])
    candidates, asked = max(settings.candidates, limit), filters or Filters()
    copies = asked_copies(manifest, asked)
    legs = store.search(manifest.generation, text, vector, candidates, replace(asked, also=tuple(copies)))
    chunks = {hit.chunk.chunk_id: hit.chunk for hit in (*legs.lexical, *legs.dense)}
    lexical, dense = _positions(legs.lexical), _positions(legs.dense)
    fused = fuse(_scored(legs.lexical), _scored(legs.dense), settings)
    return [
        Passage(
            _as_asked_for(chunks[chunk_id], manifest, copies),
            manifest.generation,
            score,
            lexical.get(chunk_id),
            dense.get(chunk_id),
        )
        for chunk_id, score in fused[:limit]
    ]


def require_embedding(manifest: Manifest, embeddings: Collection[EmbeddingIdentity]) -> None:
    """Refuse to compare vectors of two models: they lie in unrelated spaces, whatever their length.

    Raises:
        EmbeddingMismatch: each of `embeddings` differs from the generation's in model, fingerprint or dimension.
    """
    if manifest.embedding not in embeddings:
        raise EmbeddingMismatch(
            f"generation {manifest.generation!r} was embedded by {_describe(manifest.embedding)}, the query by "
            f"{' or '.join(map(_describe, embeddings))}; name the generation's model as models.former_embedding, "
            "refresh the knowledge base with the present model, or go back to a generation of it"
        )


def _as_asked_for(chunk: Chunk, manifest: Manifest, copies: Mapping[str, str]) -> Chunk:
    copy = copies.get(chunk.document_uri)
    return chunk if copy is None else addressed(chunk, copy, manifest.documents[copy])


def _describe(identity: EmbeddingIdentity) -> str:
    return f"{identity.model!r} (file {identity.fingerprint[:12]!r}, {identity.dimension} dimensions)"


def _positions(hits: Sequence[Hit]) -> dict[str, LegPosition]:
    return {hit.chunk.chunk_id: LegPosition(rank, hit.score) for rank, hit in enumerate(hits, start=1)}


def _scored(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    return [(hit.chunk.chunk_id, hit.score) for hit in hits]
