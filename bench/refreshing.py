"""A refresh of the knowledge base on the product's own path, step by step under a clock.

What `flows.knowledge.refresh` does, in its order, without a Prefect server: the tasks are called as functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from tasks.embedding.model import embedding_work, ensure_embedding_model, provenance
from tasks.environment import Environment
from tasks.environment.knowledge import Source
from tasks.knowledge.refresh_tasks import build, plan, promote
from tasks.knowledge.sources import scan_sources
from tasks.laptop.data_directory import models_directory
from tasks.refresh.building import RefreshProgress
from tasks.refresh.ray_data import EmbeddingWork
from tasks.store_settings import knowledge_store


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did and how long it took, in seconds from its beginning.

    `first_vectors` is when the first vectors arrived and `last_vectors` when the last ones were in the store; both
    None when nothing was embedded. `seconds` is when readers had the generation.
    """

    generation: str
    documents: int
    unreadable: int
    chunks: int
    embedded: int
    scanned: float
    first_vectors: float | None
    last_vectors: float | None
    seconds: float


def work_of(environment: Environment, sources: Sequence[Source]) -> EmbeddingWork:
    """The pipeline's settings, with the model's files in place."""
    files = ensure_embedding_model.fn(environment.models, environment.models.embedding, models_directory(environment))
    return embedding_work(environment, sources, files)


def refresh(environment: Environment, sources: tuple[Source, ...]) -> Refreshed:
    """Refresh the environment's knowledge base from `sources`."""
    began = perf_counter()
    arrived: list[float] = []

    def note(_: RefreshProgress) -> None:
        arrived.append(perf_counter() - began)

    with knowledge_store(environment) as store:
        work = work_of(environment, sources)
        made_by = provenance(environment, sources, None, None)
        scanned = scan_sources.fn(sources, work.max_document_bytes)
        scanned_at = perf_counter() - began
        refresh_plan = plan.fn(store, scanned.documents, made_by)
        embedded, manifest = 0, refresh_plan.base
        if manifest is None or not refresh_plan.changes_nothing:
            built = build.fn(store, refresh_plan, work, made_by, note)
            embedded, manifest = built.embedded, built.manifest
            promote.fn(store, manifest.generation)
        finished = perf_counter() - began
    failures = sum(record.failure is not None for record in manifest.documents.values())
    return Refreshed(
        generation=manifest.generation,
        documents=len(manifest.documents) - failures,
        unreadable=failures,
        chunks=manifest.chunk_count,
        embedded=embedded,
        scanned=scanned_at,
        first_vectors=arrived[0] if arrived else None,
        last_vectors=arrived[-1] if arrived else None,
        seconds=finished,
    )
