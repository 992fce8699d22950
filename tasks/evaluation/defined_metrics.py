"""The metrics of a measurement, and how sure they are, whatever its rows are; what is undefined is left out."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import isfinite
from statistics import fmean
from typing import TypeVar

from tasks.environment.quality import Metric
from tasks.evaluation.bootstrap import bootstrap_interval

Row = TypeVar("Row")
Measure = Callable[[Metric, Sequence[Row]], float | None]
"""The value (0..1) of a metric for these rows; None where it is undefined."""


def defined_values(rows: Sequence[Row], metrics: Iterable[Metric], measure: Measure[Row]) -> dict[Metric, float]:
    """The value (0..1) of every metric asked for that is defined."""
    measured: dict[Metric, float | None] = {metric: measure(metric, rows) for metric in metrics}
    return {metric: round(value, 4) for metric, value in measured.items() if value is not None}


def defined_intervals(
    rows: Sequence[Row], metrics: Iterable[Metric], measure: Measure[Row]
) -> dict[Metric, tuple[float, float]]:
    """The 95 % bootstrap interval over the rows of every metric that is defined."""
    intervals: dict[Metric, tuple[float, float] | None] = {
        metric: bootstrap_interval(rows, partial(measure, metric)) for metric in metrics
    }
    return {metric: interval for metric, interval in intervals.items() if interval is not None}


def finite(value: float) -> float | None:
    """The value; None where it is NaN or infinite, which would pass every threshold."""
    return value if isfinite(value) else None


def mean_of_defined(values: Iterable[float | None]) -> float | None:
    """The mean of those that are there; None where none is."""
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None
