"""What a refresh did, as its run returns it."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.knowledge.generation import DocumentRecord, Manifest
from agents.knowledge.holds import Hold
from agents.knowledge.sync import RefreshPlan
from tasks.refresh.building import BuiltGeneration
from tasks.refresh.verdicts import Verdict


@dataclass(frozen=True)
class RefreshReport:
    """The generation that serves after a refresh, and what it took to get there.

    `documents` counts what the generation holds; `embedded`, `copied` and `chunks` count chunks. `unreadable` maps
    the URI of each document that was skipped to the reason; where it had a good version before, that one still serves.
    `copies` of the documents have the same content as another one, which is stored once.
    `new` says that this run moved the readers. `moved` counts documents that lie elsewhere than before. `verdict` is
    the gate's, where there was a generation to examine, and `held` says why there was none to build.
    """

    generation: str
    new: bool
    documents: int
    chunks: int
    embedded: int
    copied: int
    deleted: int
    unreadable: Mapping[str, str]
    seconds: float
    moved: int = 0
    verdict: Verdict | None = None
    held: str | None = None
    copies: int = 0

    @property
    def summary(self) -> str:
        """One line for a log and for the table of stages."""
        work = f"{self.embedded} chunks embedded, {self.copied} copied, {self.deleted} documents deleted"
        skipped = f"; {len(self.unreadable)} documents could not be read" if self.unreadable else ""
        unchanged = "nothing changed, nothing embedded" if self.held is None else self.held
        change = f"new generation: {work}" if self.new else unchanged
        copies = f" ({self.copies} of them copies of others)" if self.copies else ""
        remark = f"; {self.verdict.remark}" if self.verdict is not None and self.verdict.remark else ""
        return (
            f"{self.generation}: {self.documents} documents{copies} in {self.chunks} chunks, {change}{skipped}{remark}"
        )


def report_of_already_built(
    serving: Manifest, verdict: Verdict | None, new: bool, seconds: float, held: str | None = None
) -> RefreshReport:
    """The report of a refresh that found nothing to build, and perhaps moved the readers to what was built before."""
    return RefreshReport(
        serving.generation,
        new,
        _readable(serving.documents),
        serving.chunk_count,
        0,
        0,
        0,
        _unreadable(serving.documents),
        seconds,
        verdict=verdict,
        held=held,
        copies=len(serving.copies),
    )


def report_of_held_back(serving: Manifest, hold: Hold, seconds: float) -> RefreshReport:
    """The report of a refresh that would bring back what was rolled back from, and left it."""
    held = (
        f"nothing built: readers were taken back from {hold.generation} on {hold.since:%Y-%m-%d %H:%M} UTC, and none "
        f"of what it changed has changed again. Mend that, or go forward with rollback_to={hold.generation}"
    )
    return report_of_already_built(serving, None, False, seconds, held)


def report_of_build(
    plan: RefreshPlan, built: BuiltGeneration, verdict: Verdict | None, seconds: float
) -> RefreshReport:
    """The report of a refresh that built a generation."""
    documents = built.manifest.documents
    return RefreshReport(
        built.manifest.generation,
        True,
        _readable(documents),
        built.manifest.chunk_count,
        built.embedded,
        built.copied,
        len(plan.deleted),
        _unreadable(documents),
        seconds,
        moved=len(plan.moved),
        verdict=verdict,
        copies=len(built.manifest.copies),
    )


def _readable(documents: Mapping[str, DocumentRecord]) -> int:
    return sum(record.content_hash is not None for record in documents.values())


def _unreadable(documents: Mapping[str, DocumentRecord]) -> dict[str, str]:
    return {uri: record.failure for uri, record in documents.items() if record.failure is not None}
