"""What /v1/ask costs beside model, gateway and search, traced: real service and store, models that answer at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import httpx
from pydantic import TypeAdapter

from bench.agent_service import served_agents
from bench.document import against, provenance_line, table
from bench.embedding import vectors
from bench.figures import percentile
from bench.options import BENCH_DIRECTORY, Options, local_environment
from bench.processes import in_new_process
from bench.record import Measured
from bench.refreshing import refresh, work_of
from bench.simulated_gateway import Script
from tasks.environment import REPOSITORY, Environment
from tasks.golden.dataset import GoldenQuestion, read_golden_set

ROUNDS = 3
# Longer than the service gives its model.
ANSWER_SECONDS = 90
MOST_MS = 10.0
MOST_MS_OF_99 = 25.0
ELSEWHERE = ("embed", "search", "model")
"""The stages whose time is that of the models, the gateway or the store."""


@dataclass(frozen=True)
class Asked:
    """One question: `wall_ms` as the caller measures it, `timings_ms` as the answer says."""

    kind: str
    wall_ms: float
    timings_ms: dict[str, float]

    @property
    def added_ms(self) -> float:
        """What is neither model, gateway nor search; HTTP and JSON on both sides included."""
        return self.wall_ms - sum(self.timings_ms.get(stage, 0.0) for stage in ELSEWHERE)


@dataclass(frozen=True)
class AskOverhead:
    """Every question that was asked, one after the other, by one caller; `spans` arrived where traces go meanwhile."""

    questions: int
    asked: tuple[Asked, ...]
    spans: int


RECORD = TypeAdapter(Measured[AskOverhead])


def measure(options: Options) -> AskOverhead:
    """Ask the service every golden question, three times."""
    environment = local_environment("documentation")
    in_new_process(refresh, environment, environment.knowledge.sources)
    questions = read_golden_set(REPOSITORY / environment.evaluation.dataset)
    script = evidence_script(environment, questions)
    directory = BENCH_DIRECTORY / "ask"
    with served_agents(environment, script, directory) as service, httpx.Client(trust_env=False) as client:
        ask(client, service.url, questions[0].question)
        rounds = range(1 if options.quick else ROUNDS)
        asked = [ask(client, service.url, question.question) for _ in rounds for question in questions]
        spans = int(client.get(f"{service.langfuse}/spans").raise_for_status().text)
    return AskOverhead(len(questions), tuple(asked), spans)


def ask(client: httpx.Client, url: str, question: str) -> Asked:
    """Ask one question and time it.

    Raises:
        httpx.HTTPStatusError: the service refuses.
    """
    began = perf_counter()
    answer = client.post(f"{url}/v1/ask", json={"question": question}, timeout=ANSWER_SECONDS)
    wall = 1000 * (perf_counter() - began)
    said = answer.raise_for_status().json()
    return Asked(said["kind"], wall, TypeAdapter(dict[str, float]).validate_python(said["timings_ms"]))


def evidence_script(environment: Environment, questions: Sequence[GoldenQuestion]) -> Script:
    """The model quotes the evidence, so that its sentences take the whole way through the groundedness check."""
    texts = [question.question for question in questions]
    embedded = in_new_process(vectors, work_of(environment, environment.knowledge.sources), ["ready?", *texts])
    replies = {
        question.question: " ".join(one.quote for one in question.evidence) or question.reference
        for question in questions
    }
    return Script(dict(zip(texts, embedded[1:], strict=True)), replies, embedded[0])


def tables(record: Measured[AskOverhead]) -> str:
    """The section of the document."""
    asked = record.result.asked
    drafted = [one for one in asked if "model" in one.timings_ms]
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(one.kind for one in asked).items()))
    stages = dict.fromkeys(stage for one in asked for stage in one.timings_ms if stage != "total")
    rows = [_row(f"`{stage}`", [one.timings_ms[stage] for one in asked if stage in one.timings_ms]) for stage in stages]
    rows.append(_row("whole request, as the caller sees it", [one.wall_ms for one in asked]))
    rows.append(_row("**added by the service**, all questions", [one.added_ms for one in asked]))
    rows.append(_row("**added by the service**, where the model was asked", [one.added_ms for one in drafted]))
    added = [one.added_ms for one in drafted]
    middle, last = median(added), percentile(added, 0.99)
    reached = against(f"**{middle:.1f} ms**", f"at most {MOST_MS:g} ms", middle <= MOST_MS)
    reached_by_99 = against(f"**{last:.1f} ms**", f"at most {MOST_MS_OF_99:g} ms", last <= MOST_MS_OF_99)
    caption = (
        f"{len(asked)} requests, {len(asked) // record.result.questions} of each of the {record.result.questions} "
        f"golden questions: {kinds}. Every one was traced; {record.result.spans:,} spans had arrived at the end. "
        f"Added at the median: {reached}; at the 99th percentile: {reached_by_99}."
    )
    header = ("stage", "questions", "median ms", "95th percentile ms", "99th percentile ms")
    return f"{provenance_line(record)}\n\n{caption}\n\n{table(header, rows)}"


def _row(what: str, values: Sequence[float]) -> tuple[str, ...]:
    return (
        what,
        str(len(values)),
        f"{median(values):.2f}",
        f"{percentile(values, 0.95):.2f}",
        f"{percentile(values, 0.99):.2f}",
    )
