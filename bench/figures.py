"""Statistics of the benches: pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """A mean, and between what it lies with 95 % confidence."""

    mean: float
    low: float
    high: float


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1, above 0) of the values do not exceed, by nearest rank.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values, so no percentile")
    return sorted(values)[ceil(share * len(values)) - 1]


def evenly_by_length(texts: Sequence[str], wanted: int) -> list[str]:
    """`wanted` texts whose lengths are spread as those of all texts are, in the order of `texts`; all when fewer.

    Every n-th of the texts ordered by length: a systematic sample, which no seed can make lucky.
    """
    if wanted >= len(texts):
        return list(texts)
    by_length = sorted(range(len(texts)), key=lambda index: (len(texts[index]), index))
    chosen = {by_length[(2 * step + 1) * len(texts) // (2 * wanted)] for step in range(wanted)}
    return [texts[index] for index in sorted(chosen)]


def paired_interval(values: Sequence[float], less: Sequence[float]) -> Interval:
    """The mean of the differences of pairs, with its percentile bootstrap interval; always drawn by the same seed.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993.

    Raises:
        ValueError: there are no pairs, or not as many of the one as of the other.
    """
    differences = np.array([one - other for one, other in zip(values, less, strict=True)])
    drawn = np.random.default_rng(0).integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return Interval(float(differences.mean()), float(low), float(high))
