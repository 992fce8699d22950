"""The drill of a knowledge store: the serving generation, restored beside from its copy, has to answer the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Protocol

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import Manifest
from agents.knowledge.search import hybrid_search
from agents.knowledge.store import KnowledgeStore
from tasks.compared import Compared
from tasks.golden import GoldenQuestion
from tasks.refresh.gate_scores import answerable_from
from tasks.restore_drill.report import Objective, Restoration
from tasks.run_log import run_log

QUESTIONS = 5
PASSAGES = 5
REMEDY = (
    "The serving generation was not touched. Delete the copy that is named and run the drill again, which makes a new "
    "one; until it passes, what is lost has to be built again from the documents by a refresh"
)
REMEDY_OF_A_PROMISE = (
    "What was restored is whole, and now there is a copy of what serves. If too much work was in no copy, run the "
    "drill more often (`knowledge.recovery.schedule`), if it took too long, give the store a faster server; or promise "
    "less in `point_hours` and `time_minutes`"
)


class NothingServes(Exception):
    """There is no generation that could be restored."""


class Copies(Protocol):
    """Copies of generations outside the indices that readers are served from. All verbs raise `StoreUnavailable`."""

    def taken(self) -> Mapping[str, datetime]:
        """The generations of which there is a whole copy, and when each was taken."""
        ...

    def take(self, generation: str) -> None:
        """Copy a sealed generation with its manifest."""
        ...

    def restored(self, generation: str) -> AbstractContextManager[KnowledgeStore]:
        """A store of the generation alone, restored beside the serving one; gone at the end of the block."""
        ...

    def drop(self, generation: str) -> None:
        """Delete the copy of a generation; nothing when there is none."""
        ...


@dataclass(frozen=True)
class Questions:
    """What is asked of both stores: labelled questions, who embeds them, and how to fuse where a manifest is silent."""

    labelled: tuple[GoldenQuestion, ...]
    embed: Callable[[str], Sequence[float]]
    fusion: FusionSettings

    def asked_of(self, manifest: Manifest) -> tuple[GoldenQuestion, ...]:
        """A few of them, evenly spread; those that the generation can answer, if there are any."""
        fitting = answerable_from(manifest, self.labelled) or self.labelled
        return fitting[:: max(1, len(fitting) // QUESTIONS)][:QUESTIONS]


@task(task_run_name="restore-knowledge-beside", cache_policy=NO_CACHE, persist_result=False)
def drill_knowledge(store: KnowledgeStore, copies: Copies, questions: Questions, objective: Objective) -> Restoration:
    """Copy the serving generation where that was not done yet, restore it beside, and compare.

    Readers are served by the same generation throughout.

    Raises:
        NothingServes: no generation was promoted yet.
        StoreUnavailable: the store, or where the copies lie, does not answer.
    """
    serving = store.serving()
    if serving is None:
        raise NothingServes("the knowledge base has no generation yet: run the flow 'knowledge' first")
    taken = copies.taken()
    at_risk = work_at_risk(serving, store.manifests(), taken, datetime.now(UTC))
    if serving.generation not in taken:
        copies.take(serving.generation)
        run_log().info("copied generation %r", serving.generation)
    began = monotonic()
    with copies.restored(serving.generation) as beside:
        compared = (*_counts(store, beside, serving), *_answers(store, beside, serving, questions))
        took = timedelta(seconds=monotonic() - began)
    still = store.serving()
    compared += (Compared("serving", serving.generation, still.generation if still else "nothing"),)
    remedy = REMEDY_OF_A_PROMISE if all(line.agrees for line in compared) else REMEDY
    restored = f"generation {serving.generation}"
    return Restoration("knowledge", restored, objective, at_risk, took, compared, remedy)


@task(task_run_name="drop-old-copies", cache_policy=NO_CACHE, persist_result=False)
def drop_old_copies(copies: Copies, kept: int) -> None:
    """Delete all copies but the `kept` (1 or more) newest.

    Raises:
        StoreUnavailable: where the copies lie does not answer.
    """
    taken = copies.taken()
    for generation in sorted(taken, key=lambda name: taken[name])[:-kept]:
        copies.drop(generation)


def work_at_risk(
    serving: Manifest, held: Iterable[Manifest], taken: Mapping[str, datetime], now: datetime
) -> timedelta:
    """How old the oldest work is that no copy has: of what serves, and of the generations `held` since the last copy.

    `taken` is as of `Copies`. The first drill of all finds no copy, which is no broken promise.
    """
    if serving.generation in taken or not taken:
        return timedelta()
    copied = max(taken.values())
    # Not since the copy was taken: on days without a change there is nothing to copy.
    since = (manifest.created_at for manifest in held if manifest.created_at > copied)
    return now - min((serving.created_at, *since))


def _counts(store: KnowledgeStore, beside: KnowledgeStore, serving: Manifest) -> tuple[Compared, ...]:
    found = {manifest.generation: manifest for manifest in beside.manifests()}.get(serving.generation)
    wanted, counted = (each.chunk_counts(serving.generation) for each in (store, beside))
    differing = sum(wanted.get(key) != counted.get(key) for key in {*wanted, *counted})
    return (
        Compared("manifest", serving.source_fingerprint, found.source_fingerprint if found else "missing"),
        Compared("chunks", str(serving.chunk_count), str(sum(counted.values()))),
        Compared("documents that differ", "0", str(differing)),
    )


def _answers(
    store: KnowledgeStore, beside: KnowledgeStore, serving: Manifest, questions: Questions
) -> tuple[Compared, ...]:
    fusion = serving.fusion or questions.fusion

    def best(asked: KnowledgeStore, text: str, vector: Sequence[float]) -> str:
        found = hybrid_search(asked, serving, text, vector, serving.embedding, fusion, PASSAGES)
        return ", ".join(f"{passage.chunk.path}#{passage.chunk.ordinal}" for passage in found)

    compared: list[Compared] = []
    for labelled in questions.asked_of(serving):
        text = labelled.question
        vector = questions.embed(text)
        compared.append(Compared(text, best(store, text, vector), best(beside, text, vector)))
    return tuple(compared)
