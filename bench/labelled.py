"""Labelled questions over a real knowledge base, and how every ranking does on each of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from agents.knowledge.fusion import FusionSettings, fuse
from agents.knowledge.store import Chunk, Filters, Hit, KnowledgeStore, Legs
from bench.corpus import write_documents
from bench.embedding import vectors
from bench.figures import ndcg_at
from bench.options import BENCH_DIRECTORY, NotMeasurable, local_environment
from bench.processes import in_new_process
from bench.python_faq import answered_questions
from bench.refreshing import refresh, work_of
from tasks.environment import REPOSITORY, Environment
from tasks.environment.knowledge import Source
from tasks.golden import read_golden_set
from tasks.retrieval_metrics import RankedPassage, evidence_ranks, holds_quote, recall_at, reciprocal_rank
from tasks.store_settings import knowledge_store

QUICK_ABSTRACTS = 40
QUICK_ANSWERS = 20


@dataclass(frozen=True)
class LabelledQuestion:
    """A question, its evidence as pairs of document path and quote, and what experts answered.

    An empty quote means any chunk of the document.
    """

    text: str
    evidence: tuple[tuple[str, str], ...]
    reference: str


@dataclass(frozen=True)
class LabelledSet:
    """Questions, and the generation of `environment` that holds their documents."""

    name: str
    environment: Environment
    generation: str
    documents: int
    chunks: int
    questions: tuple[LabelledQuestion, ...]


@dataclass(frozen=True)
class Judged:
    """How one ranking did on one question, each 0..1."""

    recall_at_5: float
    reciprocal_rank: float
    ndcg_at_10: float


def documentation_set() -> LabelledSet:
    """The answerable golden questions over the documents that the environment file names."""
    environment = local_environment("documentation")
    golden = read_golden_set(REPOSITORY / environment.evaluation.dataset)
    questions = tuple(
        LabelledQuestion(
            question.question, tuple((one.document, one.quote) for one in question.evidence), question.reference
        )
        for question in golden
        if question.evidence
    )
    return _labelled("golden/ over this documentation", environment, environment.knowledge.sources, questions)


def python_faq_set(quick: bool) -> LabelledSet:
    """Each question of Python's FAQ against its own answer.

    Raises:
        NotMeasurable: the FAQ is not installed.
    """
    entries = answered_questions()
    entries = entries[:QUICK_ANSWERS] if quick else entries
    directory = "python-faq-quick" if quick else "python-faq"
    environment = local_environment(directory)
    answers = [(name, answer) for name, _, answer in entries]
    source = write_documents(BENCH_DIRECTORY / directory / "answers", answers)
    questions = tuple(LabelledQuestion(question, ((f"{name}.txt", ""),), answer) for name, question, answer in entries)
    return _labelled("The FAQ of Python's documentation", environment, (source,), questions)


def pubmedqa_set(file: Path, quick: bool) -> LabelledSet:
    """Each expert-labelled question of PubMedQA against the abstract that it was written for.

    Raises:
        NotMeasurable: `file` does not exist.
    """
    if not file.exists():
        raise NotMeasurable(f"{str(file)!r} does not exist; --pubmedqa takes the ori_pqal.json of PubMedQA")
    entries = list(cast(dict[str, dict[str, object]], json.loads(file.read_bytes())).items())
    entries = entries[:QUICK_ABSTRACTS] if quick else entries
    directory = "pubmedqa-quick" if quick else "pubmedqa"
    environment = local_environment(directory)
    texts = [(key, "\n\n".join(cast(list[str], entry["CONTEXTS"]))) for key, entry in entries]
    source = write_documents(BENCH_DIRECTORY / directory / "abstracts", texts)
    questions = tuple(
        LabelledQuestion(str(entry["QUESTION"]), ((f"{key}.txt", ""),), str(entry["LONG_ANSWER"]))
        for key, entry in entries
    )
    return _labelled("PubMedQA", environment, (source,), questions)


def _labelled(
    name: str, environment: Environment, sources: tuple[Source, ...], questions: tuple[LabelledQuestion, ...]
) -> LabelledSet:
    done = in_new_process(refresh, environment, sources)
    return LabelledSet(name, environment, done.generation, done.documents, done.chunks, questions)


def judge(labelled: LabelledSet, compared: Mapping[str, FusionSettings], candidates: int) -> dict[str, list[Judged]]:
    """How each of the compared rankings of the same legs did on every question, in order."""
    work = work_of(labelled.environment, labelled.environment.knowledge.sources)
    embedded = in_new_process(vectors, work, [question.text for question in labelled.questions])
    judged: dict[str, list[Judged]] = {name: [] for name in compared}
    with knowledge_store(labelled.environment) as store:
        chunks = chunks_by_path(store, labelled.generation)
        for question, vector in zip(labelled.questions, embedded, strict=True):
            relevant = chunks_with_evidence(chunks, question)
            legs = store.search(labelled.generation, question.text, vector, candidates, Filters())
            for name, settings in compared.items():
                judged[name].append(judge_ranking(_fused(legs, settings), question, relevant))
    return judged


def judge_ranking(ranking: Sequence[Chunk], question: LabelledQuestion, relevant: frozenset[str]) -> Judged:
    """How a ranking (best first) did; `relevant` is the ids of all chunks that hold evidence."""
    ranks = evidence_ranks([RankedPassage(chunk.path, chunk.text) for chunk in ranking], question.evidence)
    return Judged(
        recall_at(ranks, 5),
        reciprocal_rank(ranks),
        ndcg_at([chunk.chunk_id in relevant for chunk in ranking], len(relevant), 10),
    )


def chunks_by_path(store: KnowledgeStore, generation: str) -> dict[str, list[Chunk]]:
    """All chunks of a generation by the path of their document."""
    chunks: dict[str, list[Chunk]] = {}
    for chunk in store.chunks(generation):
        chunks.setdefault(chunk.path, []).append(chunk)
    return chunks


def chunks_with_evidence(chunks: Mapping[str, Sequence[Chunk]], question: LabelledQuestion) -> frozenset[str]:
    """The ids of all chunks that hold evidence of the question.

    Raises:
        NotMeasurable: there is none.
    """
    held = {
        chunk.chunk_id
        for document, quote in question.evidence
        for chunk in chunks.get(document, ())
        if holds_quote(chunk.text, quote)
    }
    if not held:
        raise NotMeasurable(f"no chunk holds the evidence of {question.text!r}: {question.evidence!r}")
    return frozenset(held)


def _fused(legs: Legs, settings: FusionSettings) -> list[Chunk]:
    chunks = {hit.chunk.chunk_id: hit.chunk for hit in (*legs.lexical, *legs.dense)}
    return [chunks[chunk_id] for chunk_id, _ in fuse(_scored(legs.lexical), _scored(legs.dense), settings)]


def _scored(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    return [(hit.chunk.chunk_id, hit.score) for hit in hits]
