"""What a run of the lifecycle leaves for the one who started it: the stages, and a cited answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from tasks.agent_service.http_api import Probe


@dataclass(frozen=True)
class StageResult:
    """One stage: how many seconds it took, and what it did in one line."""

    name: str
    seconds: float
    summary: str


@dataclass(frozen=True)
class LifecycleSummary:
    """All stages in order, and the answer to the probe question."""

    stages: tuple[StageResult, ...]
    probe: Probe

    def rows(self) -> list[dict[str, object]]:
        """The stages as rows of a table."""
        return stage_rows(self.stages)


def stage_rows(stages: Sequence[StageResult]) -> list[dict[str, object]]:
    """Stages as rows of a table."""
    return [{"stage": stage.name, "seconds": round(stage.seconds, 1), "what it did": stage.summary} for stage in stages]


_SUMMARY = TypeAdapter(LifecycleSummary)


def write_summary(summary: LifecycleSummary, path: Path) -> None:
    """Keep the summary in `path`, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_SUMMARY.dump_json(summary, indent=2))


def read_summary(path: Path) -> LifecycleSummary:
    """The summary that the last complete run of the lifecycle left. Raises FileNotFoundError before the first."""
    return _SUMMARY.validate_json(path.read_bytes())
