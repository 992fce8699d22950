"""The refresh from sources to serving generation, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from agents.knowledge.deletions import require_small_deletions
from agents.knowledge.generation import Manifest
from agents.knowledge.holds import held_back
from agents.knowledge.store import KnowledgeStore, UnknownGeneration
from agents.knowledge.sync import Provenance, RefreshPlan, ScannedDocument
from agents.knowledge.turn import Turn, require_turn, take_turn
from agents.knowledge.unread import require_readable
from tasks.environment.knowledge import Source
from tasks.refresh.building import (
    BuiltGeneration,
    RefreshProgress,
    build,
    drop_old_generations,
    note_scan,
    plan,
    promote,
)
from tasks.refresh.examining import examine_generation
from tasks.refresh.gate import GateRules, require_passed
from tasks.refresh.ray_data import EmbeddingWork
from tasks.refresh.report import RefreshReport, report_of_already_built, report_of_build, report_of_held_back
from tasks.refresh.rules import RefreshRules
from tasks.refresh.scanning import Scan, require_known_sources, scan
from tasks.refresh.verdicts import Verdict

OnProgress = Callable[[RefreshProgress], None]


@dataclass(frozen=True)
class RefreshSteps:
    """The verbs of a refresh; a flow gives them as tasks of its orchestrator, so that each can be seen there."""

    scan: Callable[[Sequence[Source], int], Scan] = scan
    plan: Callable[[KnowledgeStore, Sequence[ScannedDocument], Provenance], RefreshPlan] = plan
    build: Callable[[KnowledgeStore, RefreshPlan, EmbeddingWork, Provenance, OnProgress], BuiltGeneration] = build
    examine: Callable[[KnowledgeStore, Manifest, EmbeddingWork, Provenance, GateRules], Verdict] = examine_generation
    promote: Callable[[KnowledgeStore, str], bool] = promote
    drop_old_generations: Callable[[KnowledgeStore, str | None, int], list[str]] = drop_old_generations


@dataclass(frozen=True)
class Refresh:
    """One refresh of a knowledge base: its store, the work of embedding, what it is made by, and what it may do."""

    store: KnowledgeStore
    work: EmbeddingWork
    made_by: Provenance
    rules: RefreshRules
    steps: RefreshSteps

    def run(self, on_progress: OnProgress) -> RefreshReport:
        """Scan, plan, build, examine, promote, and drop what is no longer needed.

        Raises:
            ReadingWithheld: the sources let nobody read so much any more that a person has to look.
            DeletionsWithheld: the sources lost more than may be deleted without a person's word.
            GateFailed: what was built is worse than what serves.
            RefreshOvertaken: somebody else began to change what serves.
            As the steps do.
        """
        started = monotonic()
        turn = take_turn(self.store, "a refresh", datetime.now(UTC))
        serving = self.store.serving()
        refresh = self._planned(serving)
        if serving is not None and (hold := held_back(self.store, refresh, self.made_by)):
            self._drop_old(serving, turn)
            return report_of_held_back(serving, hold, monotonic() - started)
        if refresh.already_built is not None:
            # A run that was killed after it sealed or promoted a generation has left the rest to this one.
            verdict, moved = self._put_in_front(refresh.already_built, serving, turn)
            return report_of_already_built(refresh.already_built, verdict, moved, monotonic() - started)
        try:
            built = self.steps.build(self.store, refresh, self.work, self.made_by, on_progress)
        except (UnknownGeneration, ValueError):
            # Whoever has taken the turn has dropped, or sealed, what was being built here.
            require_turn(self.store, turn)
            raise
        verdict, moved = self._put_in_front(built.manifest, serving, turn)
        if not moved:
            # What was read again has failed again.
            return report_of_already_built(built.manifest, verdict, moved, monotonic() - started)
        return report_of_build(refresh, built, verdict, monotonic() - started)

    def _planned(self, serving: Manifest | None) -> RefreshPlan:
        found = self.steps.scan(tuple(self.work.sources.values()), self.work.max_document_bytes)
        require_known_sources(found, serving)
        confirmed = self.rules.deletions_confirmed
        if confirmed or not found.vanished:
            # A source that is away for a moment is no news of its documents.
            note_scan(self.store, found.documents)
        refresh = self.steps.plan(self.store, found.documents, self.made_by)
        if not confirmed:
            require_readable(serving, found.documents, self.rules.guard)
            vanished = {name: str(error) for name, error in found.vanished.items()}
            require_small_deletions(serving, self._unmeant(refresh, serving), vanished, self.rules.guard)
        return refresh

    def _unmeant(self, refresh: RefreshPlan, serving: Manifest | None) -> tuple[str, ...]:
        """The deletions that nobody ordered by giving this refresh other sources."""
        if serving is None or not self.rules.sources_replaced:
            return refresh.deleted
        given = self.made_by.sources.items()
        same = {name for name, uri in serving.sources.items() if (name, uri) in given}
        return tuple(uri for uri in refresh.deleted if serving.documents[uri].source in same)

    def _put_in_front(self, candidate: Manifest, serving: Manifest | None, turn: Turn) -> tuple[Verdict | None, bool]:
        """Examine a generation and move readers to it; returns the verdict, and whether they were elsewhere."""
        verdict = None
        if serving is None or serving.generation != candidate.generation:
            verdict = self.steps.examine(self.store, candidate, self.work, self.made_by, self.rules.gate)
            if not verdict.passed:
                self._drop_old(serving, turn)
            require_passed(verdict)
        require_turn(self.store, turn)
        moved = self.steps.promote(self.store, candidate.generation)
        self._drop_old(candidate, turn)
        return verdict, moved

    def _drop_old(self, serving: Manifest | None, turn: Turn) -> None:
        """Drop what is no longer needed; what another is building is not ours to drop."""
        require_turn(self.store, turn)
        name = serving.generation if serving else None
        self.steps.drop_old_generations(self.store, name, self.rules.generations_kept)
