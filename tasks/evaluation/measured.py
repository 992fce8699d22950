"""What every measurement of answers has in common, whichever questions it is over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tasks.environment.quality import Metric
from tasks.evaluation.report import Judging


class MeasuredRow(Protocol):
    """One answer, with its scores and why others are missing; a metric in neither was not asked for."""

    @property
    def scores(self) -> Mapping[Metric, float]:
        """The scores."""
        ...

    @property
    def missing(self) -> Mapping[Metric, str]:
        """Why others are missing."""
        ...


class Measured(Protocol):
    """A report: the mean of each metric (0..1) with its 95 % interval, the rows, and what became of the judge."""

    @property
    def created_at(self) -> datetime:
        """When it was measured."""
        ...

    @property
    def scores(self) -> Mapping[Metric, float]:
        """The means, of the metrics that are defined."""
        ...

    @property
    def intervals(self) -> Mapping[Metric, tuple[float, float]]:
        """Their intervals."""
        ...

    @property
    def rows(self) -> Sequence[MeasuredRow]:
        """The answers."""
        ...

    @property
    def judging(self) -> Judging | None:
        """None where no judge was asked."""
        ...

    @property
    def refused(self) -> tuple[str, ...]:
        """Why the run failed; empty for one that passed."""
        ...
