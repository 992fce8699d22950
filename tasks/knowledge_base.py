"""The knowledge base of an environment: builds, promotes and drops its generations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.building import (
    begin_generation,
    copy_unchanged,
    finish_generation,
    generations_to_drop,
    parsed_record,
    stored_chunk_ids,
)
from agents.knowledge.generation import DocumentRecord, Manifest
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance, RefreshPlan, ScannedDocument, plan_refresh
from tasks.ray_data import EmbeddingWork, embed_documents


@dataclass(frozen=True)
class RefreshProgress:
    """How far a build is: documents done of all that have to be parsed, and chunks embedded so far."""

    documents: int
    of_documents: int
    embedded: int


@dataclass(frozen=True)
class BuiltGeneration:
    """A sealed generation and what it took: chunks embedded in this run, and chunks copied from the base."""

    manifest: Manifest
    embedded: int
    copied: int


@task(task_run_name="plan-refresh", cache_policy=NO_CACHE)
def plan(store: KnowledgeStore, scanned: Sequence[ScannedDocument], provenance: Provenance) -> RefreshPlan:
    """Compare what the sources hold with the serving generation."""
    return plan_refresh(scanned, store.serving(), provenance)


@task(task_run_name="build-generation", cache_policy=NO_CACHE)
def build(
    store: KnowledgeStore,
    refresh: RefreshPlan,
    work: EmbeddingWork,
    provenance: Provenance,
    on_progress: Callable[[RefreshProgress], None],
) -> BuiltGeneration:
    """Build the generation of `refresh` beside the serving one, or take up its interrupted build.

    Raises:
        GenerationIncomplete: documents changed while they were read; run again.
        StoreUnavailable: the store went away; run again.
    """
    manifest = begin_generation(store, refresh, provenance)
    copied = copy_unchanged(store, manifest.generation, refresh)
    parsed: dict[str, DocumentRecord] = {}
    embedded = 0
    if refresh.parse:
        work = replace(
            work,
            documents=tuple(document.ref for document in refresh.parse),
            stored=stored_chunk_ids(store, manifest.generation),
        )
        for batch in embed_documents(work):
            if batch.chunks:
                store.add(manifest.generation, batch.chunks)
            embedded += len(batch.chunks)
            for outcome in batch.outcomes:
                parsed[outcome.ref.uri] = parsed_record(
                    store,
                    manifest.generation,
                    refresh,
                    outcome.ref,
                    outcome.content_hash,
                    outcome.chunks,
                    outcome.failure,
                )
            on_progress(RefreshProgress(len(parsed), len(refresh.parse), embedded))
    return BuiltGeneration(finish_generation(store, manifest, refresh, parsed), embedded, copied)


@task(task_run_name="promote-{generation}", cache_policy=NO_CACHE)
def promote(store: KnowledgeStore, generation: str) -> None:
    """Move readers to `generation`, atomically."""
    store.promote(generation)


@task(task_run_name="drop-old-generations", cache_policy=NO_CACHE)
def drop_old_generations(store: KnowledgeStore, serving: str, kept: int) -> list[str]:
    """Delete the generations that nobody needs any more; returns their names."""
    dropped = generations_to_drop(store.manifests(), serving, kept)
    for generation in dropped:
        store.drop(generation)
    return dropped
