"""What was measured on a sample of people's questions, kept as one JSON file a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field

from agents.events import Kind
from tasks.environment.quality import JudgedMetric, Metric
from tasks.evaluation.report import Judging
from tasks.report_files import Kept, KeptReport

SETTLED = timedelta(minutes=10)
"""By then a question has its answer, and its trace has arrived."""


@dataclass(frozen=True)
class Period:
    """From when until when questions were asked."""

    since: datetime
    until: datetime


class TraceRow(Kept):
    """One answer. `question` is masked, as the trace has it; the answer and the passages stay in the trace.

    `groundedness` (0..1) is the service's own; `judged` holds a judge's scores, and `unjudged` why others are missing.
    """

    trace_id: str
    kind: Kind
    question: str
    groundedness: float | None
    judged: dict[JudgedMetric, float] = Field(default_factory=dict)
    unjudged: dict[Metric, str] = Field(default_factory=dict)

    @property
    def scores(self) -> dict[Metric, float]:
        """What is known of the answer, by metric."""
        known: dict[Metric, float] = {} if self.groundedness is None else {"groundedness": self.groundedness}
        return {**known, **self.judged}

    @property
    def missing(self) -> dict[Metric, str]:
        """Why others are missing."""
        return self.unjudged


class TraceReport(KeptReport):
    """One run over the answers of `since` to `until`: `found` are the traces of that time, `rows` the sample of them.

    The other fields are as those of a report over golden questions.
    """

    environment: str
    since: datetime
    until: datetime
    found: int
    scores: dict[Metric, float]
    rows: tuple[TraceRow, ...]
    intervals: dict[Metric, tuple[float, float]]
    judging: Judging | None
    refused: tuple[str, ...] = ()


def next_period(reports: Sequence[TraceReport], most_days: int, now: datetime) -> Period:
    """What comes after the newest of `reports` (newest first), but no more than `most_days`."""
    until = now - SETTLED
    oldest = until - timedelta(days=most_days)
    return Period(max([oldest, *(report.until for report in reports[:1])]), until)
