"""Makes one ranking of the lexical and the dense leg of a hybrid search.

Both methods see no more than chunk ids, ranks and scores, and break ties by chunk id, so that the
same two rankings always give the same result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

RRF_CONSTANT = 60
"""The k of reciprocal rank fusion; 60 is the value that the authors of the method found robust."""

Scored = tuple[str, float]
"""A chunk id and its score."""


@dataclass(frozen=True)
class FusionSettings:
    """How the legs become one ranking.

    `dense_weight` (0..1) is the dense leg's share in `min_max`; `rrf` has no weights. `candidates`
    is how many hits each leg contributes.
    """

    method: Literal["rrf", "min_max"]
    dense_weight: float
    candidates: int


def fuse(lexical: Sequence[Scored], dense: Sequence[Scored], settings: FusionSettings) -> list[Scored]:
    """Fuse two rankings (best first, each chunk id once a leg) by the method of `settings`, best first."""
    if settings.method == "rrf":
        return reciprocal_rank_fusion([lexical, dense])
    return min_max_fusion(lexical, dense, settings.dense_weight)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[Scored]]) -> list[Scored]:
    """Score each chunk by the sum of 1 / (60 + rank) over the rankings that hold it; ranks count from 1.

    Source: Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and
    individual Rank Learning Methods", SIGIR 2009.
    """
    fused: dict[str, float] = {}
    for ranking in rankings:
        for rank, (chunk_id, _) in enumerate(ranking, start=1):
            fused[chunk_id] = fused.get(chunk_id, 0.0) + 1 / (RRF_CONSTANT + rank)
    return _best_first(fused)


def min_max_fusion(lexical: Sequence[Scored], dense: Sequence[Scored], dense_weight: float) -> list[Scored]:
    """Score each chunk by (1 - w) * lexical + w * dense, w = `dense_weight`, on scores scaled to 0..1.

    A leg is scaled by (score - min) / (max - min) over its own hits; where all its scores are equal,
    each becomes 1. A chunk that a leg did not find counts as that leg's worst hit, 0.

    Source: the convex combination of Bruch, Gai and Ingber, "An Analysis of Fusion Functions for
    Hybrid Retrieval", ACM TOIS 2023, with min-max normalisation.
    """
    lexical_scores, dense_scores = _scaled(lexical), _scaled(dense)
    fused = {
        chunk_id: (1 - dense_weight) * lexical_scores.get(chunk_id, 0.0)
        + dense_weight * dense_scores.get(chunk_id, 0.0)
        for chunk_id in lexical_scores.keys() | dense_scores.keys()
    }
    return _best_first(fused)


def _scaled(ranking: Sequence[Scored]) -> dict[str, float]:
    if not ranking:
        return {}
    scores = [score for _, score in ranking]
    low, high = min(scores), max(scores)
    if low == high:
        return {chunk_id: 1.0 for chunk_id, _ in ranking}
    return {chunk_id: (score - low) / (high - low) for chunk_id, score in ranking}


def _best_first(scores: Mapping[str, float]) -> list[Scored]:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
