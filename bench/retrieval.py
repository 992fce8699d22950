"""How well each leg and each fusion finds the evidence of labelled questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from pydantic import TypeAdapter

from agents.knowledge.fusion import FusionSettings
from bench.ablation import LEGS, RERANKED_PASSAGES, SetScores, measure_set
from bench.document import provenance_line, table
from bench.figures import Interval
from bench.labelled import documentation_set, pubmedqa_set, python_faq_set
from bench.options import Options, local_environment
from bench.record import Measured

DENSE_WEIGHTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True)
class Retrieval:
    """`configured` is the ranking that the environment file asks for."""

    configured: str
    candidates: int
    sets: tuple[SetScores, ...]


RECORD = TypeAdapter(Measured[Retrieval])


def rankings(candidates: int) -> dict[str, FusionSettings]:
    """What is compared, by name; a leg alone is a fusion that gives the other no weight."""
    weights = {min_max_name(weight): weight for weight in DENSE_WEIGHTS}
    return {
        LEGS[0]: FusionSettings("min_max", 0.0, candidates),
        LEGS[1]: FusionSettings("min_max", 1.0, candidates),
        "RRF": FusionSettings("rrf", 0.5, candidates),
        **{name: FusionSettings("min_max", weight, candidates) for name, weight in weights.items()},
    }


def min_max_name(dense_weight: float) -> str:
    """How a min-max fusion is called in the tables."""
    return f"min-max, dense weight {dense_weight:g}"


def measure(options: Options) -> Retrieval:
    """Search every question of every set once, and fuse the legs in every way."""
    fusion = local_environment("documentation").knowledge.fusion
    compared = rankings(fusion.candidates)
    configured = "RRF" if fusion.method == "rrf" else min_max_name(fusion.dense_weight)
    if fusion.method == "min_max":
        compared[configured] = FusionSettings("min_max", fusion.dense_weight, fusion.candidates)
    sets = [documentation_set(), python_faq_set(options.quick)]
    if options.pubmedqa is not None:
        sets.append(pubmedqa_set(options.pubmedqa, options.quick))
    return Retrieval(configured, fusion.candidates, tuple(measure_set(one, compared, configured) for one in sets))


def tables(record: Measured[Retrieval]) -> str:
    """The section of the document."""
    result = record.result
    parts = [provenance_line(record), *(_table(one, result) for one in result.sets), _verdict(result), _gains(result)]
    return "\n\n".join(parts)


def _verdict(result: Retrieval) -> str:
    """What the tables say that the environment file should have."""
    gains = {
        scores.ranking: fmean(
            one.ndcg_at_10 for each in result.sets for one in each.scores if one.ranking == scores.ranking
        )
        for scores in result.sets[0].scores
    }
    best = max(gains, key=lambda ranking: gains[ranking])
    beating = ", ".join(beating_both_legs(result.sets)) or "none"
    return (
        f"Highest nDCG@10, mean of the tables: {best} ({gains[best]:.3f}); "
        f"configured: {result.configured} ({gains[result.configured]:.3f}). "
        f"Above the better leg in every table: {beating}."
    )


def beating_both_legs(sets: Sequence[SetScores]) -> list[str]:
    """The rankings whose nDCG@10 is above that of each leg in every one of the sets."""
    beating: list[str] = []
    for ranking in (scores.ranking for scores in sets[0].scores):
        gains = [{scores.ranking: scores.ndcg_at_10 for scores in one.scores} for one in sets]
        if all(gain[ranking] > max(gain.get(leg, 0) for leg in LEGS) for gain in gains):
            beating.append(ranking)
    return beating


def _table(one: SetScores, result: Retrieval) -> str:
    metrics = {"recall_at_5": "recall@5", "mrr": "MRR", "ndcg_at_10": "nDCG@10"}
    every = (*one.scores, *one.reranked)
    best = {metric: max(getattr(scores, metric) for scores in every) for metric in metrics}
    rows = [
        (
            f"{scores.ranking} (configured)" if scores.ranking == result.configured else scores.ranking,
            *(_cell(getattr(scores, metric), highest) for metric, highest in best.items()),
            "" if scores.ndcg_without_headings is None else f"{scores.ndcg_without_headings:.3f}",
        )
        for scores in every
    ]
    caption = (
        f"{one.name}: {one.questions:,} questions, {one.documents:,} documents, {one.chunks:,} chunks, "
        f"{result.candidates} candidates a leg."
    )
    return f"{caption}\n\n{table(('ranking', *metrics.values(), 'nDCG@10 without headings'), rows)}"


def _cell(value: float, highest: float) -> str:
    return f"**{value:.3f}**" if value == highest else f"{value:.3f}"


def _gains(result: Retrieval) -> str:
    """How sure the differences are, and what a reranker costs."""
    rows = [(gain, *(_interval(one.gains[gain]) for one in result.sets)) for gain in result.sets[0].gains]
    cost = "; ".join(f"{one.late_kept:.0f} and {one.late_computed:,.0f} ms" for one in result.sets)
    return (
        f"{table(('nDCG@10 of the configured fusion', *(one.name for one in result.sets)), rows)}\n\n"
        f"Means with their 95 % intervals. MaxSim of {RERANKED_PASSAGES} passages takes a question, with kept token "
        f"vectors and without, on a machine as busy as said above: {cost}."
    )


def _interval(gain: Interval) -> str:
    return f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
