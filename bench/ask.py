"""What /v1/ask costs beside model, gateway and search, traced: real service and store, models that answer at once."""

import json
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter

import httpx
from pydantic import TypeAdapter

from agents.settings import Langfuse
from bench.document import against, provenance_line, table
from bench.embedding import vectors
from bench.figures import percentile
from bench.options import BENCH_DIRECTORY, Options, local_environment
from bench.processes import free_port, in_new_process, running
from bench.record import Measured
from bench.refreshing import refresh, work_of
from bench.simulated_gateway import Script
from tasks.agent_settings import agent_settings
from tasks.environment import REPOSITORY, Environment
from tasks.golden import GoldenQuestion, read_golden_set
from tasks.langfuse import SECRET_VARIABLE
from tasks.secret_file import GATEWAY_KEY

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
    script = _script(environment, questions)
    with _service(environment, script) as (url, langfuse), httpx.Client(trust_env=False) as client:
        ask(client, url, questions[0].question)
        asked = [
            ask(client, url, question.question) for _ in range(1 if options.quick else ROUNDS) for question in questions
        ]
        spans = int(client.get(f"{langfuse}/spans").raise_for_status().text)
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


def _script(environment: Environment, questions: Sequence[GoldenQuestion]) -> Script:
    """The model quotes the evidence, so that its sentences take the whole way through the groundedness check."""
    texts = [question.question for question in questions]
    embedded = in_new_process(vectors, work_of(environment, environment.knowledge.sources), ["ready?", *texts])
    replies = {
        question.question: " ".join(one.quote for one in question.evidence) or question.reference
        for question in questions
    }
    return Script(dict(zip(texts, embedded[1:], strict=True)), replies, embedded[0])


@contextmanager
def _service(environment: Environment, script: Script) -> Generator[tuple[str, str]]:
    """The service as a process of its own, with gateway and Langfuse simulated; its URL and Langfuse's, once ready."""
    directory = BENCH_DIRECTORY / "ask"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "script.json").write_text(json.dumps(asdict(script)), encoding="utf-8")
    gateway, service, sink = free_port(), free_port(), free_port()
    settings = agent_settings(environment, "127.0.0.1", service, f"http://127.0.0.1:{gateway}/v1")
    langfuse = f"http://127.0.0.1:{sink}"
    traced = Langfuse(host=langfuse, public_key="pk-lf-simulated", secret_key_variable=SECRET_VARIABLE)
    settings = settings.model_copy(update={"langfuse": traced})
    (directory / "settings.json").write_text(settings.model_dump_json(), encoding="utf-8")
    simulated = ("bench.simulated_gateway", "--port", str(gateway), "--script", str(directory / "script.json"))
    variables = {
        "AGENTS_SETTINGS": str(directory / "settings.json"),
        GATEWAY_KEY: "simulated",
        SECRET_VARIABLE: "simulated",
    }
    url = f"http://127.0.0.1:{service}"
    with (
        running(simulated, {}, f"http://127.0.0.1:{gateway}/openapi.json", directory / "gateway.log"),
        running(("bench.langfuse_sink", "--port", str(sink)), {}, f"{langfuse}/spans", directory / "langfuse.log"),
        running(("agents.service",), variables, f"{url}/readyz", directory / "service.log"),
    ):
        yield url, langfuse


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
