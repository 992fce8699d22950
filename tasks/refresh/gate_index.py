"""Whether the index of a generation is what its manifest says."""

from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.store import Filters, KnowledgeStore
from tasks.refresh.gate_scores import Embed
from tasks.refresh.verdicts import Check

PROBES = 5
PROBE_DEPTH = 10
# A passage's own text is its nearest neighbour; what is left of the distance is rounding.
LEAST_COSINE = 0.98


def counts(store: KnowledgeStore, candidate: Manifest) -> list[Check]:
    """Documents and chunks, as the manifest says.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    found = store.chunk_counts(candidate.generation)
    documents = sum(record.chunks > 0 for record in candidate.documents.values())
    return [
        _equal("documents in the index", len(found), documents, "as the manifest says"),
        _equal("chunks in the index", sum(found.values()), candidate.chunk_count, "as the manifest says"),
    ]


def vectors_found(store: KnowledgeStore, candidate: Manifest, expected: EmbeddingIdentity, embed: Embed) -> list[Check]:
    """Passages spread over the generation have to be found by the vectors of their own text, by the present model.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    uris = sorted(uri for uri, record in candidate.documents.items() if record.chunks)
    step = max(1, len(uris) // PROBES)
    chunks = [store.document(candidate.generation, uri)[0] for uri in uris[::step][:PROBES]]
    vectors = embed([chunk.searchable_text for chunk in chunks])
    same = _equal("dimension of the vectors", len(vectors[0]), candidate.embedding.dimension, "as the manifest says")
    if not same.passed or candidate.embedding != expected:
        return [same, _equal("made by the present embedding model", 0, 1, f"{expected.model} ({expected.fingerprint})")]
    legs = [
        store.search(candidate.generation, chunk.text, vector, PROBE_DEPTH, Filters())
        for chunk, vector in zip(chunks, vectors, strict=True)
    ]
    found = sum(any(hit.score >= LEAST_COSINE for hit in leg.dense) for leg in legs)
    words = sum(len(leg.lexical) > 0 for leg in legs)
    return [
        same,
        _equal("probes found by meaning", found, len(chunks), f"all, by a cosine of {LEAST_COSINE}"),
        Check(
            name="probes found by words",
            candidate=words,
            serving=None,
            # Not every passage has words: one may be a row of signs.
            demanded="at least one",
            passed=words > 0,
        ),
    ]


def _equal(name: str, found: int, wanted: int, demanded: str) -> Check:
    return Check(name=name, candidate=found, serving=None, demanded=f"{wanted}, {demanded}", passed=found == wanted)
