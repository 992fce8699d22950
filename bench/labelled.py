"""Labelled questions over a real knowledge base."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from agents.knowledge.store import Chunk, KnowledgeStore
from bench.corpus import write_documents
from bench.options import BENCH_DIRECTORY, NotMeasurable, local_environment
from bench.processes import in_new_process
from bench.python_faq import answered_questions, write_answers
from bench.refreshing import refresh
from tasks.environment import REPOSITORY, Environment
from tasks.environment.knowledge import Source
from tasks.evaluation.retrieval_metrics import holds_quote
from tasks.golden.dataset import read_golden_set

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
    """Each question of Python's FAQ against its own answer, which stands below the headings of its page.

    Raises:
        NotMeasurable: the FAQ is not installed.
    """
    entries = answered_questions()
    entries = entries[:QUICK_ANSWERS] if quick else entries
    directory = "python-faq-quick" if quick else "python-faq"
    source, names = write_answers(BENCH_DIRECTORY / directory / "pages", entries)
    questions = tuple(
        LabelledQuestion(entry.question, ((name, ""),), entry.answer)
        for name, entry in zip(names, entries, strict=True)
    )
    return _labelled("The FAQ of Python's documentation", local_environment(directory), (source,), questions)


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
