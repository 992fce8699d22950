"""What a manifest says of each document of a build: kept, read, failed, or the same as another one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agents.knowledge.carrying import copy_missing
from agents.knowledge.documents import DocumentRef
from agents.knowledge.generation import DocumentRecord
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import RefreshPlan, ScannedDocument


class GenerationIncomplete(Exception):
    """The index does not hold what the manifest says; says which documents differ, and to run again."""


@dataclass(frozen=True)
class DocumentOutcome:
    """What became of one document that was parsed: its number of chunks, or why it could not be read.

    `failed_by` are the versions that will not read these bytes another time either, see `parser_versions`; None where
    it is to be tried again.
    """

    ref: DocumentRef
    content_hash: str | None
    chunks: int
    failure: str | None = None
    failed_by: str | None = None


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
    return records | {uri: _record(outcome, plan) for uri, outcome in read.items()}


def left_out(
    store: KnowledgeStore, generation: str, outcomes: Mapping[str, DocumentOutcome], refused: Mapping[str, str]
) -> dict[str, DocumentOutcome]:
    """The outcomes of documents of which a passage has no vector; none of their others stays in the generation.

    `refused` has the reasons by URI. Such a document counts as one that could not be read: it is tried again next time.
    """
    if refused:
        store.delete_documents(generation, sorted(refused))
    return {uri: replace(outcomes[uri], chunks=0, failure=reason) for uri, reason in refused.items()}


def carried_records(plan: RefreshPlan) -> dict[str, DocumentRecord]:
    """The manifest's records of all documents that need no parsing, keyed by URI."""
    known = plan.base.documents if plan.base else {}
    records = {document.ref.uri: _kept(known[document.ref.uri]) for document in plan.keep}
    for document in (*plan.carry, *plan.unreadable):
        record = known.get(document.ref.uri)
        failure = document.failure or (record.failure if record else None)
        failed_by = record.failed_by if record and document.content_hash else None
        records[document.ref.uri] = _unread(document.ref, failure, document.content_hash, failed_by, plan)
    return records


def _kept(record: DocumentRecord) -> DocumentRecord:
    return record.model_copy(update={"failure": None, "failed_hash": None, "failed_by": None})


def _outcomes_of_copies(plan: RefreshPlan, outcomes: Mapping[str, DocumentOutcome]) -> dict[str, DocumentOutcome]:
    """What cannot become text cannot under its other addresses; what could not be read is read again next time."""
    found: dict[str, DocumentOutcome] = {}
    for copy, same_as in plan.copies:
        outcome = outcomes.get(same_as)
        if outcome is not None and outcome.failure is not None:
            same_bytes = outcome.content_hash == copy.content_hash
            found[copy.ref.uri] = DocumentOutcome(
                copy.ref, copy.content_hash if same_bytes else None, 0, outcome.failure, outcome.failed_by
            )
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


def _record(outcome: DocumentOutcome, plan: RefreshPlan) -> DocumentRecord:
    ref = outcome.ref
    if outcome.failure is not None:
        return _unread(ref, outcome.failure, outcome.content_hash, outcome.failed_by, plan)
    return DocumentRecord(source=ref.source, path=ref.path, content_hash=outcome.content_hash, chunks=outcome.chunks)


def _unread(
    ref: DocumentRef, failure: str | None, failed_hash: str | None, failed_by: str | None, plan: RefreshPlan
) -> DocumentRecord:
    """A document whose newest version could not be read, with its last good one, if there is one.

    Its chunks are its own, also where it shared them.
    """
    old = plan.base.documents.get(ref.uri) if plan.base else None
    return DocumentRecord(
        source=ref.source,
        path=ref.path,
        content_hash=old.content_hash if old else None,
        chunks=plan.base.chunks_of(ref.uri) if plan.base and old else 0,
        failure=failure,
        failed_hash=failed_hash,
        failed_by=failed_by,
    )
