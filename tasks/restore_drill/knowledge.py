"""The drill of a knowledge store: the serving generation, restored beside from its copy, has to answer the same."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Protocol

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.holds import holds
from agents.knowledge.store import KnowledgeStore
from tasks.drift.compared import Compared
from tasks.restore_drill.comparing import Questions, compare_answers, compare_counts
from tasks.restore_drill.report import Objective, Restoration
from tasks.restore_drill.work_at_risk import work_at_risk
from tasks.runs.log import run_log
from tasks.runs.outages import SECONDS_BETWEEN_TRIES, TRIES_AGAIN, may_be_over_soon

LAST_COPY = "last-copy"
"""The note of the store that names the newest copy; empty where none may be relied on."""
REMEDY = (
    "The serving generation was not touched. Delete the copy that is named and run the drill again, which makes a new "
    "one; until it passes, what is lost has to be built again from the documents by a refresh"
)
REMEDY_OF_A_PROMISE = (
    "What was restored is whole, and now there is a copy of what serves. If the newest copy was missing too much work, "
    "run the drill more often (`knowledge.recovery.schedule`), if it took too long, give the store a faster server; or "
    "promise less in `point_hours` and `time_minutes`"
)

REMEDY_OF_A_GONE_COPY = (
    "What serves was copied again and restored. Find out who emptied or replaced the place of the copies, and close it "
    "to them: until this run, a lost store could not have come back"
)


class NothingServes(Exception):
    """There is no generation that could be restored."""


class Copies(Protocol):
    """Copies of generations outside the indices that readers are served from. All verbs raise `StoreUnavailable`."""

    def taken(self) -> Mapping[str, datetime]:
        """The generations of which there is a whole copy, and when each was taken."""
        ...

    def take(self, generation: str) -> None:
        """Copy a sealed generation with its manifest, and the notes of the store as they are now."""
        ...

    def restored(self, generation: str) -> AbstractContextManager[KnowledgeStore]:
        """A store of the generation alone, restored beside the serving one; gone at the end of the block."""
        ...

    def drop(self, generation: str) -> None:
        """Delete the copy of a generation; nothing when there is none."""
        ...


@task(
    task_run_name="restore-knowledge-beside",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=TRIES_AGAIN,
    retry_delay_seconds=SECONDS_BETWEEN_TRIES,
    retry_condition_fn=may_be_over_soon,
)
def drill_knowledge(store: KnowledgeStore, copies: Copies, questions: Questions, objective: Objective) -> Restoration:
    """Copy the serving generation where that was not done yet, or before the last rollback, restore it, and compare.

    Readers are served by the same generation throughout.

    Raises:
        NothingServes: no generation was promoted yet.
        StoreUnavailable: the store, or where the copies lie, does not answer.
    """
    serving = store.serving()
    if serving is None:
        raise NothingServes("the knowledge base has no generation yet: run the flow 'knowledge' first")
    taken, known = copies.taken(), store.note(LAST_COPY)
    at_risk = work_at_risk(serving, store.manifests(), taken, datetime.now(UTC), known)
    if serving.generation not in taken or _held_since(store, taken[serving.generation]):
        copies.drop(serving.generation)
        copies.take(serving.generation)
        run_log().info("copied generation %r", serving.generation)
    began = monotonic()
    with copies.restored(serving.generation) as beside:
        compared = (
            *compare_counts(store, beside, serving),
            *compare_answers(store, beside, serving, questions),
        )
        took = timedelta(seconds=monotonic() - began)
    still = store.serving()
    compared += (Compared("serving", serving.generation, still.generation if still else "nothing"),)
    whole = all(line.agrees for line in compared)
    newest = max(taken, key=lambda name: taken[name]) if serving.generation in taken else serving.generation
    # A copy that is not what serves is to be deleted, and then nobody misses it.
    store.write_note(LAST_COPY, newest if whole else "")
    remedy = REMEDY_OF_A_PROMISE if whole else REMEDY
    if known and known not in taken:
        remedy = f"{REMEDY_OF_A_GONE_COPY}. {REMEDY}" if remedy == REMEDY else REMEDY_OF_A_GONE_COPY
        compared += (Compared("the last copy", known, "gone"),)
    restored = f"generation {serving.generation}"
    return Restoration("knowledge", restored, objective, at_risk, took, compared, remedy)


def _held_since(store: KnowledgeStore, moment: datetime) -> bool:
    """Whether a copy of that moment lacks a hold: after a loss, what was rolled back from would come back."""
    return any(hold.since > moment for hold in holds(store))


@task(task_run_name="drop-old-copies", cache_policy=NO_CACHE, persist_result=False)
def drop_old_copies(copies: Copies, kept: int) -> None:
    """Delete all copies but the `kept` (1 or more) newest.

    Raises:
        StoreUnavailable: where the copies lie does not answer.
    """
    taken = copies.taken()
    for generation in sorted(taken, key=lambda name: taken[name])[:-kept]:
        copies.drop(generation)
