"""Which route leads to right answers: the whole service with its real models answers the same questions on each route.

Where `bench.routes` asks whether the passages hold the evidence, here the answers are written, checked and compared.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import httpx
from pydantic import TypeAdapter

from bench.answered import Answered, Said, compared
from bench.document import provenance_line, seconds, table
from bench.labelled import documentation_set, pubmedqa_set
from bench.options import BENCH_DIRECTORY, Options
from bench.record import Measured
from bench.route_cases import PLACES, Case, found_on_web, sample
from bench.routes import ROUTES
from bench.served_routes import models_and_web, service_on

SEED = 20261127
SIZES, QUICK_SIZES = (30, 20, 30), (2, 1, 2)
"""Questions of each of `PLACES`."""
# Longer than the service gives its model.
ANSWER_SECONDS = 90


@dataclass(frozen=True)
class Answers:
    """Every question on every route; the documents that were searched in, of the knowledge base and on the web."""

    documents: int
    pages: int
    answered: tuple[Answered, ...]


RECORD = TypeAdapter(Measured[Answers])


def measure(options: Options) -> Answers:
    """Have every question of the sample answered on each route; without PubMedQA the web is empty."""
    known = documentation_set()
    web = None if options.pubmedqa is None else pubmedqa_set(options.pubmedqa, options.quick)
    cases = sample(known, web, QUICK_SIZES if options.quick else SIZES, SEED)
    directory = BENCH_DIRECTORY / "answers"
    said: list[Said] = []
    found = {} if web is None else found_on_web(web, cases)
    with models_and_web(known.environment, found, directory) as around:
        for route in ROUTES:
            with (
                service_on(route, known.environment, around, directory) as url,
                httpx.Client(trust_env=False) as client,
            ):
                said += [_ask(client, url, route, case) for case in cases]
    return Answers(known.documents, 0 if web is None else web.documents, compared(known.environment, said))


def _ask(client: httpx.Client, url: str, route: str, case: Case) -> Said:
    began = perf_counter()
    answer = client.post(f"{url}/v1/ask", json={"question": case.question}, timeout=ANSWER_SECONDS)
    return Said(route, case, answer.raise_for_status().json(), perf_counter() - began)


def tables(record: Measured[Answers]) -> str:
    """The section of the document."""
    answers = record.result
    counts = Counter(one.place for one in answers.answered if one.route == ROUTES[0])
    questions = ", ".join(f"{counts[place]} with evidence {place}" for place in PLACES)
    caption = (
        f"{counts.total()} questions, each on every route: {questions}. "
        f"{answers.documents} documents in the knowledge base, {answers.pages:,} pages on the web."
    )
    header = (
        "route",
        *(f"right, evidence {place}" for place in PLACES),
        "right, all",
        "wrong answers",
        "similarity",
        "time",
    )
    rows = [_row(route, [one for one in answers.answered if one.route == route]) for route in ROUTES]
    return f"{provenance_line(record)}\n\n{caption}\n\n{table(header, rows)}"


def _row(route: str, answered: Sequence[Answered]) -> tuple[str, ...]:
    by_place = [_share([one.right for one in answered if one.place == place]) for place in PLACES]
    wrong = sum(one.kind != "abstained" and not one.right for one in answered)
    similar = [one.similarity for one in answered if one.similarity is not None]
    middle = f"{median(similar):.2f}" if similar else "none"
    return (
        route,
        *by_place,
        _share([one.right for one in answered]),
        str(wrong),
        middle,
        seconds(median(one.seconds for one in answered)),
    )


def _share(held: Sequence[bool]) -> str:
    return f"{sum(held)} of {len(held)} ({sum(held) / max(len(held), 1):.2f})"
