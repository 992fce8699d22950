"""Builds a generation beside the one that is served, in steps that can each be repeated after a crash."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from agents.knowledge.generation import DocumentRecord, Manifest
from agents.knowledge.records import GenerationIncomplete, carried_records
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance, RefreshPlan, inputs_digest

REFUSED_KEPT = 1
"""How many generations that the gate refused stay beside those that served."""


class NothingReadable(Exception):
    """Not one document could be read, so the generation would answer nothing; says how many, and why one of them."""


def begin_generation(store: KnowledgeStore, plan: RefreshPlan, provenance: Provenance) -> Manifest:
    """Take up the interrupted build of the same inputs, or create the index of a new generation."""
    for manifest in store.manifests():
        if manifest.state == "building" and manifest.inputs_digest == plan.inputs_digest:
            # The crash can have come between the manifest and the index, or in the middle of a copy.
            store.create(manifest)
            return manifest
    created_at = datetime.now(UTC)
    manifest = Manifest(
        generation=f"{created_at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
        state="building",
        created_at=created_at,
        inputs_digest=plan.inputs_digest,
        sources=dict(provenance.sources),
        chunker=provenance.chunker,
        embedding=provenance.embedding,
        fusion=provenance.fusion,
        documents={},
        chunk_count=0,
        git_commit=provenance.git_commit,
        flow_run_id=provenance.flow_run_id,
    )
    store.create(manifest)
    return manifest


def finish_generation(
    store: KnowledgeStore, manifest: Manifest, plan: RefreshPlan, parsed: Mapping[str, DocumentRecord]
) -> Manifest:
    """Compare the index with the manifest document by document, and seal it.

    Where it came out as the base did, because what had failed has failed again, the base is what serves on.

    Raises:
        GenerationIncomplete: a document changed while it was read; its chunks are removed, so that running again
            mends it.
        NothingReadable: there is not one chunk.
    """
    documents = {**carried_records(plan), **parsed}
    expected = {
        (uri, record.content_hash): record.chunks
        for uri, record in documents.items()
        if record.content_hash and record.chunks
    }
    if not expected:
        if not documents:
            raise NothingReadable("no source holds a document any more; an empty knowledge base would answer nothing")
        reason = next(f"{uri}: {record.failure}" for uri, record in sorted(documents.items()))
        raise NothingReadable(f"none of the {len(documents)} documents could be read, such as {reason}")
    actual = store.chunk_counts(manifest.generation)
    differing = sorted({uri for uri, _ in dict(expected.items() ^ actual.items())})
    if differing:
        store.delete_documents(manifest.generation, [uri for uri, _ in actual if uri in set(differing)])
        raise GenerationIncomplete(
            f"generation {manifest.generation!r} does not hold what was read of {len(differing)} documents, such as "
            f"{differing[0]!r}: they changed while they were read. Run the refresh again."
        )
    filled = manifest.model_copy(
        update={"state": "ready", "documents": documents, "chunk_count": sum(expected.values())}
    )
    # A document may have changed since it was listed: what counts for the next refresh is what was read.
    digest = inputs_digest(filled.versions, manifest.sources, manifest.chunker, manifest.embedding, manifest.fusion)
    sealed = filled.model_copy(update={"inputs_digest": digest})
    if plan.base and (plan.base.inputs_digest, plan.base.documents) == (digest, documents):
        store.drop(manifest.generation)
        return plan.base
    store.seal(sealed)
    return sealed


def generations_to_drop(
    manifests: Sequence[Manifest],
    serving: str | None,
    kept: int,
    refused: Collection[str] = (),
    left: Collection[str] = (),
) -> list[str]:
    """All interrupted builds, and the ready generations beyond the `kept` newest; never the one that serves.

    Of the `refused`, which never served, the newest stays to be looked at; they take no place of those that served.
    Those that were `left` by a rollback, and that a later one has taken the place of, go before all others that served.
    """
    others = [item.generation for item in manifests if item.state == "ready" and item.generation != serving]
    served = sorted((generation for generation in others if generation not in refused), key=lambda each: each in left)
    looked_at = [generation for generation in others if generation in refused]
    keep = {serving, *served[: kept - 1], *looked_at[:REFUSED_KEPT]}
    return [manifest.generation for manifest in manifests if manifest.generation not in keep]
