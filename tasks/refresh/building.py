"""Builds, promotes and drops the generations of a knowledge base."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agents.knowledge.building import begin_generation, finish_generation, generations_to_drop
from agents.knowledge.carrying import copy_unchanged, stored_chunk_ids, take_over_interrupted
from agents.knowledge.change_record import ChangeRecord, record_change
from agents.knowledge.generation import Manifest
from agents.knowledge.holds import left_behind
from agents.knowledge.records import DocumentOutcome, left_out, parsed_records
from agents.knowledge.reuse import reusable_passages, with_known_vectors
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance, RefreshPlan, ScannedDocument, plan_refresh
from tasks.refresh.ray_data import EmbeddedBatch, EmbeddingWork, embed_documents
from tasks.refresh.rollback import forget_dropped_holds
from tasks.refresh.verdicts import refused_generations


@dataclass(frozen=True)
class RefreshProgress:
    """How far a build is: documents done of all that have to be parsed, and chunks embedded so far."""

    documents: int
    of_documents: int
    embedded: int

    @property
    def summary(self) -> str:
        """One line for a log."""
        return f"{self.documents} of {self.of_documents} documents, {self.embedded} chunks embedded"


@dataclass(frozen=True)
class BuiltGeneration:
    """A sealed generation and what it took: chunks embedded in this run, and chunks copied from the base."""

    manifest: Manifest
    embedded: int
    copied: int


def note_scan(store: KnowledgeStore, scanned: Sequence[ScannedDocument]) -> ChangeRecord:
    """Leave what the sources hold now beside the generations, where the service sees whether what serves is fresh."""
    versions = {document.ref.uri: document.content_hash for document in scanned}
    return record_change(store, versions, datetime.now(UTC))


def plan(store: KnowledgeStore, scanned: Sequence[ScannedDocument], provenance: Provenance) -> RefreshPlan:
    """Compare what the sources hold with what the store has."""
    return plan_refresh(scanned, store.serving(), store.manifests(), provenance)


def build(
    store: KnowledgeStore,
    refresh: RefreshPlan,
    work: EmbeddingWork,
    provenance: Provenance,
    on_progress: Callable[[RefreshProgress], None],
    embed: Callable[[EmbeddingWork], Iterable[EmbeddedBatch]] = embed_documents,
) -> BuiltGeneration:
    """Build the generation of `refresh` beside the serving one, or take up its interrupted build.

    `embed` reads, cuts and embeds the documents of its work.

    Raises:
        GenerationIncomplete: documents changed while they were read; run again.
        NothingReadable: not one document could be read.
        EmbeddingFailed: the model fails at everything.
        SourceUnavailable: a source stopped answering while its documents were read.
        StoreUnavailable: the store went away; run again.
    """
    manifest = begin_generation(store, refresh, provenance)
    # First, because a store copies most of a generation fastest into an empty one.
    copied = copy_unchanged(store, manifest.generation, refresh)
    take_over_interrupted(store, manifest, refresh)
    outcomes: dict[str, DocumentOutcome] = {}
    refused: dict[str, str] = {}
    embedded = 0
    if refresh.parse:
        work = replace(
            work,
            documents=tuple(document.ref for document in refresh.parse),
            stored=stored_chunk_ids(store, manifest.generation, refresh),
            reusable=reusable_passages(store, refresh),
        )
        for batch in embed(work):
            known = with_known_vectors(store, refresh, batch.reused) if batch.reused else []
            if batch.chunks or known:
                store.add(manifest.generation, [*batch.chunks, *known])
            embedded += len(batch.chunks)
            copied += len(known)
            outcomes.update((outcome.ref.uri, outcome) for outcome in batch.outcomes)
            refused.update(batch.refused)
            on_progress(RefreshProgress(len(outcomes), len(refresh.parse), embedded))
    outcomes |= left_out(store, manifest.generation, outcomes, refused)
    parsed = parsed_records(store, manifest.generation, refresh, outcomes)
    return BuiltGeneration(finish_generation(store, manifest, refresh, parsed), embedded, copied)


def promote(store: KnowledgeStore, generation: str) -> bool:
    """Move readers to `generation`, atomically; returns False when they are there already."""
    serving = store.serving()
    if serving and serving.generation == generation:
        return False
    store.promote(generation)
    return True


def drop_old_generations(store: KnowledgeStore, serving: str | None, kept: int) -> list[str]:
    """Delete the generations that nobody needs any more, and what crashes left of others; returns their names."""
    manifests = store.manifests()
    now = next((manifest for manifest in manifests if manifest.generation == serving), None)
    left = frozenset[str]() if now is None else left_behind(store, now)
    dropped = generations_to_drop(manifests, serving, kept, refused_generations(store), left)
    for generation in dropped:
        store.drop(generation)
    dropped += store.drop_leftovers()
    forget_dropped_holds(store)
    return dropped
