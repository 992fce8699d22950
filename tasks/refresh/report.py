"""What a refresh did, as its run returns it."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.knowledge.generation import DocumentRecord, Manifest
from agents.knowledge.sync import RefreshPlan
from tasks.refresh.building import BuiltGeneration


@dataclass(frozen=True)
class RefreshReport:
    """The generation that serves after a refresh, and what it took to get there.

    `documents` counts what the generation holds; `embedded`, `copied` and `chunks` count chunks. `unreadable` maps
    the URI of each document that was skipped to the reason; where it had a good version before, that one still serves.
    `new` says that this run moved the readers.
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

    @property
    def summary(self) -> str:
        """One line for a log and for the table of stages."""
        work = f"{self.embedded} chunks embedded, {self.copied} copied, {self.deleted} documents deleted"
        skipped = f"; {len(self.unreadable)} documents could not be read" if self.unreadable else ""
        change = f"new generation: {work}" if self.new else "nothing changed, nothing embedded"
        return f"{self.generation}: {self.documents} documents in {self.chunks} chunks, {change}{skipped}"


def report_of_already_built(serving: Manifest, moved: bool, seconds: float) -> RefreshReport:
    """The report of a refresh that found nothing to build, and perhaps `moved` the readers to what was built before."""
    return RefreshReport(
        serving.generation,
        moved,
        _readable(serving.documents),
        serving.chunk_count,
        0,
        0,
        0,
        _unreadable(serving.documents),
        seconds,
    )


def report_of_build(plan: RefreshPlan, built: BuiltGeneration, seconds: float) -> RefreshReport:
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
    )


def _readable(documents: Mapping[str, DocumentRecord]) -> int:
    return sum(record.content_hash is not None for record in documents.values())


def _unreadable(documents: Mapping[str, DocumentRecord]) -> dict[str, str]:
    return {uri: record.failure for uri, record in documents.items() if record.failure is not None}
