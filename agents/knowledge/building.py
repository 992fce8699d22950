"""Builds a generation beside the one that is served, in steps that can each be repeated after a crash."""

from collections.abc import Sequence
from datetime import UTC, datetime

from agents.knowledge.documents import DocumentRef
from agents.knowledge.generation import DocumentRecord, Manifest
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance, RefreshPlan, carried_records


class GenerationIncomplete(Exception):
    """The index does not hold what the manifest says; says which documents differ, and to run again."""


def begin_generation(store: KnowledgeStore, plan: RefreshPlan, provenance: Provenance) -> Manifest:
    """Take up the interrupted build of the same inputs, or create the index of a new generation."""
    for manifest in store.manifests():
        if manifest.state == "building" and manifest.inputs_digest == plan.inputs_digest:
            # Its index may be missing: the crash can have come between the manifest and the index.
            store.create(manifest)
            return manifest
    created_at = datetime.now(UTC)
    manifest = Manifest(
        generation=f"{created_at:%Y%m%d-%H%M%S}-{plan.inputs_digest[:6]}",
        state="building",
        created_at=created_at,
        inputs_digest=plan.inputs_digest,
        sources=dict(provenance.sources),
        chunker=provenance.chunker,
        embedding=provenance.embedding,
        documents={},
        chunk_count=0,
        git_commit=provenance.git_commit,
        flow_run_id=provenance.flow_run_id,
    )
    store.create(manifest)
    return manifest


def copy_unchanged(store: KnowledgeStore, generation: str, plan: RefreshPlan) -> int:
    """Copy the chunks of all documents that need no embedding from the base generation; returns how many chunks.

    Documents that an interrupted run has copied already are not copied again.
    """
    if plan.base is None:
        return 0
    present = store.chunk_counts(generation)
    missing: list[str] = []
    for document in (*plan.keep, *plan.carry):
        record = plan.base.documents[document.ref.uri]
        if record.content_hash and present.get((document.ref.uri, record.content_hash)) != record.chunks:
            missing.append(document.ref.uri)
    return store.copy(plan.base.generation, generation, missing) if missing else 0


def stored_chunk_ids(store: KnowledgeStore, generation: str) -> frozenset[str]:
    """The ids of all chunks that a build has written so far."""
    return frozenset(chunk.chunk_id for chunk in store.chunks(generation))


def parsed_record(
    store: KnowledgeStore,
    generation: str,
    plan: RefreshPlan,
    ref: DocumentRef,
    content_hash: str | None,
    chunks: int,
    failure: str | None,
) -> DocumentRecord:
    """The manifest's record of a document that was parsed; one that failed keeps its last good version.

    The chunks of that version are copied from the base generation here.
    """
    if failure is None:
        return DocumentRecord(source=ref.source, path=ref.path, content_hash=content_hash, chunks=chunks)
    old = plan.base.documents.get(ref.uri) if plan.base else None
    if plan.base and old and old.content_hash:
        store.copy(plan.base.generation, generation, [ref.uri])
    return DocumentRecord(
        source=ref.source,
        path=ref.path,
        content_hash=old.content_hash if old else None,
        chunks=old.chunks if old else 0,
        failure=failure,
        failed_hash=content_hash,
    )


def finish_generation(
    store: KnowledgeStore, manifest: Manifest, plan: RefreshPlan, parsed: dict[str, DocumentRecord]
) -> Manifest:
    """Compare the index with the manifest document by document, and seal it.

    Raises:
        GenerationIncomplete: a document changed while it was read; its chunks are removed, so that running again
            mends it.
    """
    documents = {**carried_records(plan), **parsed}
    expected = {
        (uri, record.content_hash): record.chunks
        for uri, record in documents.items()
        if record.content_hash and record.chunks
    }
    actual = store.chunk_counts(manifest.generation)
    differing = sorted({uri for uri, _ in dict(expected.items() ^ actual.items())})
    if differing:
        store.delete_documents(manifest.generation, [uri for uri, _ in actual if uri in set(differing)])
        raise GenerationIncomplete(
            f"generation {manifest.generation!r} does not hold what was read of {len(differing)} documents, such as "
            f"{differing[0]!r}: they changed while they were read. Run the refresh again."
        )
    sealed = manifest.model_copy(
        update={"state": "ready", "documents": documents, "chunk_count": sum(expected.values())}
    )
    store.seal(sealed)
    return sealed


def generations_to_drop(manifests: Sequence[Manifest], serving: str, kept: int) -> list[str]:
    """All interrupted builds, and the ready generations beyond the `kept` newest; never the one that serves."""
    ready = [manifest.generation for manifest in manifests if manifest.state == "ready"]
    keep = {serving, *[generation for generation in ready if generation != serving][: kept - 1]}
    return [manifest.generation for manifest in manifests if manifest.generation not in keep]
