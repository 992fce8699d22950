"""How rankings of passages do on labelled questions."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agents.knowledge.fusion import FusionSettings, fuse
from agents.knowledge.store import Chunk, EmbeddedChunk, Filters, Hit, KnowledgeStore, Legs
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings
from bench.embedding import vectors
from bench.labelled import LabelledQuestion, LabelledSet, chunks_by_path, chunks_with_evidence
from bench.processes import in_new_process
from bench.refreshing import work_of
from tasks.evaluation.retrieval_metrics import RankedPassage, evidence_ranks, ndcg_at, recall_at, reciprocal_rank
from tasks.store_settings import knowledge_store


@dataclass(frozen=True)
class Judged:
    """How one ranking did on one question, each 0..1."""

    recall_at_5: float
    reciprocal_rank: float
    ndcg_at_10: float


@dataclass(frozen=True)
class Searched:
    """What both legs found for a question; `relevant` is the ids of all chunks that hold evidence of it."""

    question: LabelledQuestion
    relevant: frozenset[str]
    legs: Legs

    def ranking(self, fusion: FusionSettings) -> list[tuple[Chunk, float]]:
        """The chunks with their fused scores, best first."""
        chunks = {hit.chunk.chunk_id: hit.chunk for hit in (*self.legs.lexical, *self.legs.dense)}
        fused = fuse(_scored(self.legs.lexical), _scored(self.legs.dense), fusion)
        return [(chunks[chunk_id], score) for chunk_id, score in fused]

    def judge(self, ranking: Sequence[Chunk]) -> Judged:
        """How a ranking, best first, did."""
        ranks = evidence_ranks([RankedPassage(chunk.path, chunk.text) for chunk in ranking], self.question.evidence)
        rank_of = {chunk.chunk_id: rank for rank, chunk in enumerate(ranking, start=1)}
        gained = ndcg_at([rank_of.get(chunk_id) for chunk_id in self.relevant], 10)
        return Judged(recall_at(ranks, 5), reciprocal_rank(ranks), gained)


def judge(searched: Sequence[Searched], compared: Mapping[str, FusionSettings]) -> dict[str, list[Judged]]:
    """How each of the compared fusions did on every question, in order."""
    return {
        name: [one.judge([chunk for chunk, _ in one.ranking(fusion)]) for one in searched]
        for name, fusion in compared.items()
    }


def search(labelled: LabelledSet, candidates: int) -> list[Searched]:
    """Search every question of the set, `candidates` chunks a leg."""
    with knowledge_store(labelled.environment) as store:
        return _search(store, labelled, candidates)


def search_without_headings(labelled: LabelledSet, candidates: int) -> list[Searched]:
    """The same where neither leg reads heading paths: the same chunks are embedded and indexed by their text alone."""
    with knowledge_store(labelled.environment) as store:
        manifest = next(one for one in store.manifests() if one.generation == labelled.generation)
        chunks = [replace(chunk, heading_path=()) for chunk in store.chunks(labelled.generation)]
    embedded = _vectors(labelled, [chunk.searchable_text for chunk in chunks])
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(LanceSettings(Path(directory)))
        store.create(manifest.model_copy(update={"state": "building"}))
        store.add(labelled.generation, [EmbeddedChunk(*pair) for pair in zip(chunks, embedded, strict=True)])
        store.seal(manifest)
        return _search(store, labelled, candidates)


def _search(store: KnowledgeStore, labelled: LabelledSet, candidates: int) -> list[Searched]:
    chunks = chunks_by_path(store, labelled.generation)
    asked = _vectors(labelled, [question.text for question in labelled.questions])
    return [
        Searched(
            question,
            chunks_with_evidence(chunks, question),
            store.search(labelled.generation, question.text, vector, candidates, Filters()),
        )
        for question, vector in zip(labelled.questions, asked, strict=True)
    ]


def _vectors(labelled: LabelledSet, texts: list[str]) -> list[list[float]]:
    work = work_of(labelled.environment, labelled.environment.knowledge.sources)
    return in_new_process(vectors, work, texts)


def _scored(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    return [(hit.chunk.chunk_id, hit.score) for hit in hits]
