"""How well a generation finds the evidence of labelled questions: no model but the embedding's takes part."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from agents.knowledge.copies import stored_paths
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import Manifest
from agents.knowledge.search import hybrid_search
from agents.knowledge.store import KnowledgeStore
from tasks.evaluation.retrieval_metrics import (
    RankedPassage,
    context_precision,
    evidence_ranks,
    ndcg_at,
    recall_at,
    reciprocal_rank,
)
from tasks.golden.dataset import GoldenQuestion

CUTOFF = 5
"""Passages that recall, which is RAGAS's context recall without a judge, and context precision look at."""
DEPTH = 10

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Unit-length vectors of texts, in their order."""


@dataclass(frozen=True)
class GoldenScores:
    """Means over the questions (0..1) by the metric's name, and by question id the rank of the first evidence found."""

    metrics: Mapping[str, float]
    ranks: Mapping[str, int | None]


def answerable_from(
    manifest: Manifest, questions: Sequence[GoldenQuestion], sources: Collection[str] | None = None
) -> tuple[GoldenQuestion, ...]:
    """The questions whose evidence lies in documents that a generation holds, of these of its `sources` or of all."""
    held = {
        record.path
        for record in manifest.documents.values()
        if record.content_hash and (sources is None or record.source in sources)
    }
    return tuple(
        question
        for question in questions
        if question.evidence and all(evidence.document in held for evidence in question.evidence)
    )


def named_as_in(manifest: Manifest, other: Manifest, questions: Sequence[GoldenQuestion]) -> tuple[GoldenQuestion, ...]:
    """The questions about documents of `other`, with the paths at which `manifest` holds the same content."""
    held = {record.path for record in manifest.documents.values()}
    path_of = {record.content_hash: record.path for record in manifest.documents.values() if record.content_hash}
    names = {
        record.path: path_of[record.content_hash]
        for record in other.documents.values()
        if record.path not in held and record.content_hash in path_of
    }
    return tuple(
        question.model_copy(
            update={
                "evidence": tuple(
                    each.model_copy(update={"document": names.get(each.document, each.document)})
                    for each in question.evidence
                )
            }
        )
        for question in questions
    )


def score(
    store: KnowledgeStore,
    manifest: Manifest,
    questions: Sequence[GoldenQuestion],
    vectors: Sequence[Sequence[float]],
    fusion: FusionSettings,
) -> GoldenScores:
    """Search a generation for each of the questions (at least one), whose `vectors` its own embedding model made.

    `fusion` is for a generation that does not say itself how it is searched.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    stored = stored_paths(manifest)
    ranks: dict[str, tuple[int | None, ...]] = {}
    precisions: list[float] = []
    for question, vector in zip(questions, vectors, strict=True):
        found = hybrid_search(
            store, manifest, question.question, vector, manifest.embedding, manifest.fusion or fusion, DEPTH
        )
        passages = [RankedPassage(passage.chunk.path, passage.chunk.text) for passage in found]
        evidence = [(stored.get(each.document, each.document), each.quote) for each in question.evidence]
        ranks[question.id] = evidence_ranks(passages, evidence)
        precisions.append(context_precision(passages[:CUTOFF], evidence))
    return GoldenScores(
        {
            f"recall@{CUTOFF}": fmean(recall_at(found, CUTOFF) for found in ranks.values()),
            f"context precision@{CUTOFF}": fmean(precisions),
            "mrr": fmean(reciprocal_rank(found) for found in ranks.values()),
            f"ndcg@{DEPTH}": fmean(ndcg_at(found, DEPTH) for found in ranks.values()),
        },
        {name: min((rank for rank in found if rank is not None), default=None) for name, found in ranks.items()},
    )
