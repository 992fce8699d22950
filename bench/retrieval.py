"""How well each leg and each fusion finds the evidence of labelled questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from pydantic import TypeAdapter

from agents.knowledge.fusion import FusionSettings
from bench.document import provenance_line, table
from bench.labelled import Judged, LabelledSet, documentation_set, judge, pubmedqa_set, python_faq_set
from bench.options import Options, local_environment
from bench.record import Measured

DENSE_WEIGHTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
LEGS = ("BM25 alone", "vectors alone")


@dataclass(frozen=True)
class Scores:
    """Means over the questions of a set, each 0..1."""

    ranking: str
    recall_at_5: float
    mrr: float
    ndcg_at_10: float


@dataclass(frozen=True)
class SetScores:
    """All rankings of one set."""

    name: str
    questions: int
    documents: int
    chunks: int
    scores: tuple[Scores, ...]


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
    return Retrieval(configured, fusion.candidates, tuple(_scored(one, compared, fusion.candidates) for one in sets))


def _scored(labelled: LabelledSet, compared: dict[str, FusionSettings], candidates: int) -> SetScores:
    judged = judge(labelled, compared, candidates)
    scores = tuple(_mean(name, rows) for name, rows in judged.items())
    return SetScores(labelled.name, len(labelled.questions), labelled.documents, labelled.chunks, scores)


def _mean(ranking: str, rows: list[Judged]) -> Scores:
    return Scores(
        ranking,
        fmean(row.recall_at_5 for row in rows),
        fmean(row.reciprocal_rank for row in rows),
        fmean(row.ndcg_at_10 for row in rows),
    )


def tables(record: Measured[Retrieval]) -> str:
    """The section of the document."""
    result = record.result
    return "\n\n".join([provenance_line(record), *(_table(one, result) for one in result.sets), _verdict(result)])


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
    best = {
        metric: max(getattr(scores, metric) for scores in one.scores) for metric in ("recall_at_5", "mrr", "ndcg_at_10")
    }
    rows = [
        (
            f"{scores.ranking} (configured)" if scores.ranking == result.configured else scores.ranking,
            *(_cell(getattr(scores, metric), highest) for metric, highest in best.items()),
        )
        for scores in one.scores
    ]
    caption = (
        f"{one.name}: {one.questions:,} questions, {one.documents:,} documents, {one.chunks:,} chunks, "
        f"{result.candidates} candidates a leg."
    )
    return f"{caption}\n\n{table(('ranking', 'recall@5', 'MRR', 'nDCG@10'), rows)}"


def _cell(value: float, highest: float) -> str:
    return f"**{value:.3f}**" if value == highest else f"{value:.3f}"
