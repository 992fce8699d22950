"""Statistics of the benches: pure functions."""

from collections.abc import Sequence
from math import ceil, log2


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


def ndcg_at(relevant: Sequence[bool], of_relevant: int, cutoff: int) -> float:
    """Normalised discounted cumulative gain (0..1) of a ranking with binary relevance.

    `relevant` says of each result, best first, whether it is relevant; `of_relevant` is how many relevant items
    there are in all. Source: Järvelin and Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, 2002.

    Raises:
        ValueError: nothing is relevant, so that it is undefined.
    """
    if of_relevant < 1:
        raise ValueError("nDCG is undefined where nothing is relevant")
    gain = sum(1 / log2(1 + rank) for rank, hit in enumerate(relevant[:cutoff], start=1) if hit)
    ideal = sum(1 / log2(1 + rank) for rank in range(1, min(of_relevant, cutoff) + 1))
    return gain / ideal
