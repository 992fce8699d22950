"""Which road leads to right answers: the whole service with its real models answers the same questions on each road.

Where `bench.roads` asks whether the passages hold the evidence, here the answers are written, checked and compared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import httpx
import numpy as np
from pydantic import TypeAdapter

from bench.document import provenance_line, seconds, table
from bench.embedding import vectors
from bench.labelled import documentation_set, pubmedqa_set
from bench.options import BENCH_DIRECTORY, NotMeasurable, Options
from bench.processes import in_new_process
from bench.record import Measured
from bench.refreshing import work_of
from bench.road_cases import NOWHERE, PLACES, Case, found_on_web, sample
from bench.served_roads import ROADS, models_and_web, service_on
from tasks.environment import Environment

SEED = 20261127
SIZES, QUICK_SIZES = (30, 20, 30), (2, 1, 2)
"""Questions of each of `PLACES`."""
# Longer than the service gives its model.
ANSWER_SECONDS = 90


@dataclass(frozen=True)
class Answered:
    """One question on one road. `similarity` (-1..1) compares the answer with its reference; None where it is none.

    `cites_evidence`: one of its citations holds labelled evidence. `resembles_own`: of the references of all questions
    it is most similar to that of its own.
    """

    road: str
    place: str
    kind: str
    cites_evidence: bool
    similarity: float | None
    resembles_own: bool
    seconds: float

    @property
    def right(self) -> bool:
        """Whether it answers from the evidence what was asked, or refuses where nothing answers."""
        if self.place == NOWHERE:
            return self.kind == "abstained"
        return self.kind != "abstained" and self.cites_evidence and self.resembles_own


@dataclass(frozen=True)
class Answers:
    """Every question on every road; the documents that were searched in, of the knowledge base and on the web."""

    documents: int
    pages: int
    answered: tuple[Answered, ...]


RECORD = TypeAdapter(Measured[Answers])


def measure(options: Options) -> Answers:
    """Have every question of the sample answered on each road, one after the other.

    Raises:
        NotMeasurable: PubMedQA is not given.
    """
    if options.pubmedqa is None:
        raise NotMeasurable(
            "answers needs questions that the web answers: --pubmedqa takes the ori_pqal.json of PubMedQA"
        )
    known, web = documentation_set(), pubmedqa_set(options.pubmedqa, options.quick)
    cases = sample(known, web, QUICK_SIZES if options.quick else SIZES, SEED)
    directory = BENCH_DIRECTORY / "answers"
    said: list[tuple[str, Case, dict[str, Any], float]] = []
    with models_and_web(known.environment, found_on_web(web, cases), directory) as around:
        for road in ROADS:
            with service_on(road, known.environment, around, directory) as url, httpx.Client(trust_env=False) as client:
                said += [(road, case, *_ask(client, url, case.question)) for case in cases]
    return Answers(known.documents, web.documents, _compared(known.environment, cases, said))


def _ask(client: httpx.Client, url: str, question: str) -> tuple[dict[str, Any], float]:
    began = perf_counter()
    answer = client.post(f"{url}/v1/ask", json={"question": question}, timeout=ANSWER_SECONDS)
    return answer.raise_for_status().json(), perf_counter() - began


def _compared(
    environment: Environment, cases: Sequence[Case], said: Sequence[tuple[str, Case, dict[str, Any], float]]
) -> tuple[Answered, ...]:
    answerable = [case for case in cases if case.place != NOWHERE]
    texts = [" ".join(sentence["text"] for sentence in answer["sentences"]) for _, _, answer, _ in said]
    references = [case.reference for case in answerable]
    work = work_of(environment, environment.knowledge.sources)
    # An abstention has no sentence; its vector is not looked at.
    embedded = in_new_process(vectors, work, [*references, *(text or "nothing" for text in texts)])
    cosines = np.asarray(embedded[len(references) :]) @ np.asarray(embedded[: len(references)]).T
    compared: list[Answered] = []
    for (road, case, answer, duration), row in zip(said, cosines, strict=True):
        own = answerable.index(case) if case in answerable and answer["kind"] != "abstained" else None
        compared.append(
            Answered(
                road,
                case.place,
                answer["kind"],
                cites(answer["citations"], case.evidence),
                None if own is None else float(row[own]),
                own is not None and int(row.argmax()) == own,
                duration,
            )
        )
    return tuple(compared)


def cites(citations: Sequence[Mapping[str, Any]], evidence: frozenset[str]) -> bool:
    """Whether a citation is of a chunk, or of a page on the web, that holds the evidence."""
    return any({citation["chunk_id"], citation["document_uri"]} & evidence for citation in citations)


def tables(record: Measured[Answers]) -> str:
    """The section of the document."""
    answers = record.result
    counts = Counter(one.place for one in answers.answered if one.road == ROADS[0])
    questions = ", ".join(f"{counts[place]} with evidence {place}" for place in PLACES)
    caption = (
        f"{counts.total()} questions, each on every road: {questions}. "
        f"{answers.documents} documents in the knowledge base, {answers.pages:,} pages on the web."
    )
    header = (
        "road",
        *(f"right, evidence {place}" for place in PLACES),
        "right, all",
        "wrong answers",
        "similarity",
        "time",
    )
    rows = [_row(road, [one for one in answers.answered if one.road == road]) for road in ROADS]
    return f"{provenance_line(record)}\n\n{caption}\n\n{table(header, rows)}"


def _row(road: str, answered: Sequence[Answered]) -> tuple[str, ...]:
    by_place = [_share([one.right for one in answered if one.place == place]) for place in PLACES]
    wrong = sum(one.kind != "abstained" and not one.right for one in answered)
    similar = [one.similarity for one in answered if one.similarity is not None]
    middle = f"{median(similar):.2f}" if similar else "none"
    return (
        road,
        *by_place,
        _share([one.right for one in answered]),
        str(wrong),
        middle,
        seconds(median(one.seconds for one in answered)),
    )


def _share(held: Sequence[bool]) -> str:
    return f"{sum(held)} of {len(held)} ({sum(held) / max(len(held), 1):.2f})"
