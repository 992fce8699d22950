"""What each part of the retrieval does for one labelled set: the fusion, the heading paths, and a reranker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from agents.knowledge.fusion import FusionSettings, fuse
from bench.figures import Interval, paired_interval
from bench.judging import Judged, Searched, judge, search, search_without_headings
from bench.labelled import LabelledSet
from bench.late_interaction import LateScores, late_scores
from bench.processes import in_new_process
from bench.refreshing import work_of

LEGS = ("BM25 alone", "vectors alone")
RERANKED_PASSAGES = 20
# By name, how much MaxSim weighs against the fused score.
RERANKERS = {"reranked by MaxSim": 1.0, "reranked by MaxSim and the fused score": 0.5}


@dataclass(frozen=True)
class Scores:
    """Means over the questions of a set, each 0..1; nothing is reranked without heading paths."""

    ranking: str
    recall_at_5: float
    mrr: float
    ndcg_at_10: float
    ndcg_without_headings: float | None


@dataclass(frozen=True)
class SetScores:
    """The fusions of one set, what the rerankers make of the configured one, and differences of nDCG@10 by name.

    `late_kept` and `late_computed` are milliseconds of a reranked question, see `LateScores`.
    """

    name: str
    questions: int
    documents: int
    chunks: int
    scores: tuple[Scores, ...]
    reranked: tuple[Scores, ...]
    gains: dict[str, Interval]
    late_kept: float
    late_computed: float


def measure_set(labelled: LabelledSet, compared: Mapping[str, FusionSettings], configured: str) -> SetScores:
    """Search every question with and without heading paths, and fuse and rerank what was found."""
    fusion = compared[configured]
    searched = search(labelled, fusion.candidates)
    judged = judge(searched, compared)
    bare = judge(search_without_headings(labelled, fusion.candidates), compared)
    late = _late_scores(labelled, searched, fusion)
    reranked = {name: _rerank(searched, late, fusion, weight) for name, weight in RERANKERS.items()}
    better = max(LEGS, key=lambda leg: fmean(_ndcg(judged[leg])))
    return SetScores(
        labelled.name,
        len(labelled.questions),
        labelled.documents,
        labelled.chunks,
        tuple(_mean(name, rows, bare[name]) for name, rows in judged.items()),
        tuple(_mean(name, rows) for name, rows in reranked.items()),
        {
            "over the better leg alone": _gain(judged[configured], judged[better]),
            "over the same without heading paths": _gain(judged[configured], bare[configured]),
            **{f"{name}, over it": _gain(rows, judged[configured]) for name, rows in reranked.items()},
        },
        late.kept,
        late.computed,
    )


def _late_scores(labelled: LabelledSet, searched: Sequence[Searched], fusion: FusionSettings) -> LateScores:
    work = work_of(labelled.environment, labelled.environment.knowledge.sources)
    asked = [
        (one.question.text, [chunk.searchable_text for chunk, _ in one.ranking(fusion)[:RERANKED_PASSAGES]])
        for one in searched
    ]
    return in_new_process(late_scores, work, asked)


def _rerank(searched: Sequence[Searched], late: LateScores, fusion: FusionSettings, weight: float) -> list[Judged]:
    """Order the first passages of the fusion by MaxSim and their fused score, which are mixed as two legs are."""
    mixed = FusionSettings("min_max", weight, RERANKED_PASSAGES)
    judged: list[Judged] = []
    for one, scores in zip(searched, late.scores, strict=True):
        ranking = one.ranking(fusion)
        top, rest = ranking[:RERANKED_PASSAGES], ranking[RERANKED_PASSAGES:]
        chunks = {chunk.chunk_id: chunk for chunk, _ in top}
        fused = [(chunk.chunk_id, score) for chunk, score in top]
        by_max_sim = list(zip(chunks, scores, strict=True))
        order = [chunks[chunk_id] for chunk_id, _ in fuse(fused, by_max_sim, mixed)]
        judged.append(one.judge([*order, *(chunk for chunk, _ in rest)]))
    return judged


def _mean(ranking: str, rows: Sequence[Judged], bare: Sequence[Judged] | None = None) -> Scores:
    return Scores(
        ranking,
        fmean(row.recall_at_5 for row in rows),
        fmean(row.reciprocal_rank for row in rows),
        fmean(_ndcg(rows)),
        None if bare is None else fmean(_ndcg(bare)),
    )


def _gain(rows: Sequence[Judged], less: Sequence[Judged]) -> Interval:
    return paired_interval(_ndcg(rows), _ndcg(less))


def _ndcg(rows: Sequence[Judged]) -> list[float]:
    return [row.ndcg_at_10 for row in rows]
