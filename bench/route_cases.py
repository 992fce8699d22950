"""The questions that are answered on every route: a sample of each kind, and what a web search finds for each."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from agents.settings import Routing
from agents.web_search.results import LONGEST_QUERY
from bench.embedding import vectors
from bench.labelled import LabelledSet, chunks_by_path, chunks_with_evidence
from bench.processes import in_new_process
from bench.refreshing import work_of
from bench.routes import search_all, web_address
from bench.search_engine import Page
from tasks.environment import REPOSITORY
from tasks.golden.dataset import read_golden_set
from tasks.store_settings import knowledge_store

DOCUMENTATION, NOWHERE, ON_WEB = PLACES = ("in the documentation", "nowhere", "on the web")


@dataclass(frozen=True)
class Case:
    """One question. `evidence` are the chunk ids or addresses that a right answer cites; empty where nothing answers.

    `place` is one of `PLACES`, `reference` what an expert answered.
    """

    place: str
    question: str
    reference: str
    evidence: frozenset[str]


def sample(known: LabelledSet, web: LabelledSet | None, sizes: Sequence[int], seed: int) -> tuple[Case, ...]:
    """As many cases of each of `PLACES` as `sizes` says, drawn by `seed`; none of the web without one."""
    golden = read_golden_set(REPOSITORY / known.environment.evaluation.dataset)
    with knowledge_store(known.environment) as store:
        chunks = chunks_by_path(store, known.generation)
    kinds = (
        [Case(DOCUMENTATION, one.text, one.reference, chunks_with_evidence(chunks, one)) for one in known.questions],
        [Case(NOWHERE, one.question, one.reference, frozenset()) for one in golden if not one.evidence],
        [
            Case(ON_WEB, one.text, one.reference, frozenset(web_address(path) for path, _ in one.evidence))
            for one in (() if web is None else web.questions)
        ],
    )
    drawing = random.Random(seed)  # noqa: S311 - the same sample every time
    return tuple(
        case for cases, size in zip(kinds, sizes, strict=True) for case in drawing.sample(cases, min(size, len(cases)))
    )


def found_on_web(web: LabelledSet, cases: Sequence[Case]) -> dict[str, list[Page]]:
    """The pages that a search of the abstracts finds, by the query that the service will make of each question."""
    texts = [case.question for case in cases]
    embedded = in_new_process(vectors, work_of(web.environment, web.environment.knowledge.sources), texts)
    routing = web.environment.agents.routing or Routing()
    return {
        " ".join(text.split())[:LONGEST_QUERY]: [
            Page(web_address(one.chunk.path), one.chunk.path, one.chunk.text) for one in passages
        ]
        for text, passages in zip(texts, search_all(web, texts, embedded, routing.web_results), strict=True)
    }
