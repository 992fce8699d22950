"""Builds a generation beside the one that is served, in steps that can each be repeated after a crash."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agents.knowledge.carrying import copy_missing
from agents.knowledge.documents import DocumentRef
from agents.knowledge.generation import DocumentRecord, Manifest
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance, RefreshPlan, ScannedDocument, carried_records, inputs_digest

REFUSED_KEPT = 1
"""How many generations that the gate refused stay beside those that served."""


class GenerationIncomplete(Exception):
    """The index does not hold what the manifest says; says which documents differ, and to run again."""


class NothingReadable(Exception):
    """Not one document could be read, so the generation would answer nothing; says how many, and why one of them."""


@dataclass(frozen=True)
class DocumentOutcome:
    """What became of one document that was parsed: its number of chunks, or why it could not be read."""

    ref: DocumentRef
    content_hash: str | None
    chunks: int
    failure: str | None = None


def begin_generation(store: KnowledgeStore, plan: RefreshPlan, provenance: Provenance) -> Manifest:
    """Take up the interrupted build of the same inputs, or create the index of a new generation."""
    for manifest in store.manifests():
        if manifest.state == "building" and manifest.inputs_digest == plan.inputs_digest:
            # Its index may be missing: the crash can have come between the manifest and the index.
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


def parsed_records(
    store: KnowledgeStore, generation: str, plan: RefreshPlan, outcomes: Mapping[str, DocumentOutcome]
) -> dict[str, DocumentRecord]:
    """The manifest's records of the documents that were parsed and of their copies; what failed keeps its last version.

    The chunks of those versions are copied from the base generation here. `outcomes` is keyed by URI.

    Raises:
        GenerationIncomplete: a document that others are copies of changed while it was read.
    """
    known = plan.base.documents if plan.base else {}
    read = {**outcomes, **_outcomes_of_copies(plan, outcomes)}
    failed = [uri for uri, outcome in read.items() if outcome.failure is not None]
    copy_missing(store, generation, plan, [uri for uri in failed if uri in known])
    records = {copy.ref.uri: _record_of_copy(copy, same_as) for copy, same_as in plan.copies}
    return records | {uri: _record(outcome, uri, plan) for uri, outcome in read.items()}


def finish_generation(
    store: KnowledgeStore, manifest: Manifest, plan: RefreshPlan, parsed: Mapping[str, DocumentRecord]
) -> Manifest:
    """Compare the index with the manifest document by document, and seal it.

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
    store.seal(sealed)
    return sealed


def generations_to_drop(
    manifests: Sequence[Manifest], serving: str | None, kept: int, refused: Collection[str] = ()
) -> list[str]:
    """All interrupted builds, and the ready generations beyond the `kept` newest; never the one that serves.

    Of the `refused`, which never served, the newest stays to be looked at; they take no place of those that served.
    """
    others = [item.generation for item in manifests if item.state == "ready" and item.generation != serving]
    served = [generation for generation in others if generation not in refused]
    looked_at = [generation for generation in others if generation in refused]
    keep = {serving, *served[: kept - 1], *looked_at[:REFUSED_KEPT]}
    return [manifest.generation for manifest in manifests if manifest.generation not in keep]


def _outcomes_of_copies(plan: RefreshPlan, outcomes: Mapping[str, DocumentOutcome]) -> dict[str, DocumentOutcome]:
    """What could not be read cannot be read under its other addresses either."""
    found: dict[str, DocumentOutcome] = {}
    for copy, same_as in plan.copies:
        outcome = outcomes.get(same_as)
        if outcome is not None and outcome.failure is not None:
            found[copy.ref.uri] = DocumentOutcome(copy.ref, copy.content_hash, 0, outcome.failure)
        elif outcome is not None and outcome.content_hash != copy.content_hash:
            raise GenerationIncomplete(
                f"{same_as!r} changed while it was read, and {copy.ref.uri!r} has what it held before. Run the refresh "
                "again."
            )
    return found


def _record_of_copy(copy: ScannedDocument, same_as: str) -> DocumentRecord:
    return DocumentRecord(
        source=copy.ref.source, path=copy.ref.path, content_hash=copy.content_hash, chunks=0, same_as=same_as
    )


def _record(outcome: DocumentOutcome, uri: str, plan: RefreshPlan) -> DocumentRecord:
    ref = outcome.ref
    old = plan.base.documents.get(uri) if plan.base else None
    if outcome.failure is None:
        return DocumentRecord(
            source=ref.source, path=ref.path, content_hash=outcome.content_hash, chunks=outcome.chunks
        )
    return DocumentRecord(
        source=ref.source,
        path=ref.path,
        content_hash=old.content_hash if old else None,
        chunks=plan.base.chunks_of(uri) if plan.base and old else 0,
        failure=outcome.failure,
        failed_hash=outcome.content_hash,
    )
