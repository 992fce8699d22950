"""Confidence intervals by the bootstrap: how much a figure would move with other questions of the same kind."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

RESAMPLES = 1000
SEED = 7
LEVEL = 0.95

Item = TypeVar("Item")


def bootstrap_interval(
    items: Sequence[Item], statistic: Callable[[Sequence[Item]], float | None]
) -> tuple[float, float] | None:
    """The 95 % percentile interval of `statistic` over resamples of `items`; the same for the same input.

    A resample for which the statistic is undefined (None) is left out; the interval is None when all of them are.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    if not items:
        return None
    chance = np.random.default_rng(SEED)
    values: list[float] = []
    for chosen in chance.integers(len(items), size=(RESAMPLES, len(items))).tolist():
        value = statistic([items[index] for index in chosen])
        if value is not None:
            values.append(value)
    if not values:
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return round(low, 4), round(high, 4)
