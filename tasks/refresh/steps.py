"""The refresh from sources to serving generation, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance, RefreshPlan, ScannedDocument
from tasks.environment.knowledge import Source
from tasks.ray_data import EmbeddingWork
from tasks.refresh.building import (
    BuiltGeneration,
    RefreshProgress,
    build,
    drop_old_generations,
    note_scan,
    plan,
    promote,
)
from tasks.refresh.report import RefreshReport, report_of_already_built, report_of_build
from tasks.refresh.scanning import scan

OnProgress = Callable[[RefreshProgress], None]


@dataclass(frozen=True)
class RefreshSteps:
    """The verbs of a refresh; a flow gives them as tasks of its orchestrator, so that each can be seen there."""

    scan: Callable[[Sequence[Source], int], list[ScannedDocument]] = scan
    plan: Callable[[KnowledgeStore, Sequence[ScannedDocument], Provenance], RefreshPlan] = plan
    build: Callable[[KnowledgeStore, RefreshPlan, EmbeddingWork, Provenance, OnProgress], BuiltGeneration] = build
    promote: Callable[[KnowledgeStore, str], bool] = promote
    drop_old_generations: Callable[[KnowledgeStore, str, int], list[str]] = drop_old_generations


def refresh(
    store: KnowledgeStore,
    work: EmbeddingWork,
    made_by: Provenance,
    generations_kept: int,
    on_progress: OnProgress,
    steps: RefreshSteps,
) -> RefreshReport:
    """Scan, plan, build, promote, and drop what is no longer needed.

    Raises:
        As the steps do.
    """
    started = monotonic()
    scanned = steps.scan(tuple(work.sources.values()), work.max_document_bytes)
    note_scan(store, scanned)
    refresh_plan = steps.plan(store, scanned, made_by)
    if refresh_plan.already_built is not None:
        generation = refresh_plan.already_built.generation
        # A run that was killed after it sealed or promoted a generation has left the rest to this one.
        moved = steps.promote(store, generation)
        steps.drop_old_generations(store, generation, generations_kept)
        return report_of_already_built(refresh_plan.already_built, moved, monotonic() - started)
    built = steps.build(store, refresh_plan, work, made_by, on_progress)
    steps.promote(store, built.manifest.generation)
    steps.drop_old_generations(store, built.manifest.generation, generations_kept)
    return report_of_build(refresh_plan, built, monotonic() - started)
