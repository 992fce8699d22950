"""200 streams at once of the real service over its real store, from a simulated model that writes at a fixed pace."""

import asyncio
import multiprocessing
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median

import httpx
import psutil
from pydantic import TypeAdapter

from agents.access.settings import Load
from agents.evaluation.sentences import sentence_spans
from agents.steps.composing import MOST_SENTENCES
from bench.agent_service import ServedAgents, served_agents
from bench.document import against, provenance_line, table
from bench.embedding import vectors
from bench.figures import percentile
from bench.loop_lags import idle_loop, lags_between, lags_in, later_than, longest
from bench.options import BENCH_DIRECTORY, NotMeasurable, Options, local_environment
from bench.processes import in_new_process
from bench.record import Measured
from bench.refreshing import refresh, work_of
from bench.simulated_gateway import Script
from bench.streaming import Sentences, Stream, keep_streaming, read_stream, stream_client
from tasks.environment import REPOSITORY
from tasks.golden.dataset import read_golden_set

STREAMS = 200
SECONDS, QUICK_SECONDS = 300, 60
TOKENS_PER_SECOND = 2
SAMPLE_SECONDS = 5
MOST_GROWTH = 0.05
LATE = "0.04"
"""What is told of the loop lacks up to 10 ms: what comes at most 40 ms too late was blocked for at most 50 ms."""
LONGEST_BLOCK = "50 ms"
PLAIN = re.compile(r"[A-Z][\w ,'()-]{40,}\.")
"""A sentence that looks the same wherever it is shown."""


@dataclass(frozen=True)
class Streams:
    """What the clients read, and what the service took for it: memory in bytes, every five seconds; processor seconds.

    The lags are those of the service's event loop and of an idle one at the same time, see `bench.loop_lags`.
    """

    questions: int
    seconds: int
    read: tuple[Stream, ...]
    memory: tuple[int, ...]
    processor_seconds: float
    lags: dict[str, int]
    idle_lags: dict[str, int]

    @property
    def growth(self) -> float:
        """By what share the memory of the last fifth of the time is more than that of the second fifth."""
        fifth = max(len(self.memory) // 5, 1)
        return median(self.memory[-fifth:]) / median(self.memory[fifth : 2 * fifth]) - 1


RECORD = TypeAdapter(Measured[Streams])


def measure(options: Options) -> Streams:
    """Ask the questions whose passages can be repeated, 200 at a time, for five minutes."""
    environment = local_environment("documentation")
    in_new_process(refresh, environment, environment.knowledge.sources)
    questions = [one.question for one in read_golden_set(REPOSITORY / environment.evaluation.dataset) if one.evidence]
    work = work_of(environment, environment.knowledge.sources)
    other, *embedded = in_new_process(vectors, work, ["ready?", *questions])
    script = Script(dict(zip(questions, embedded, strict=True)), {}, other)
    directory = BENCH_DIRECTORY / "streams"
    load = Load(answers=STREAMS, waiting=0, wait_seconds=10)
    with served_agents(environment, script, directory) as service:
        written = _repeated(service.url, questions)
    script = Script(script.vectors, {question: " ".join(said) for question, said in written.items()}, other)
    pace = ("--tokens-per-second", str(TOKENS_PER_SECOND))
    with served_agents(environment, script, directory, load=load, pace=pace) as service:
        return asyncio.run(_measure(service, written, QUICK_SECONDS if options.quick else SECONDS))


def _repeated(url: str, questions: Sequence[str]) -> dict[str, Sentences]:
    """By question, three plain sentences of its best passages."""
    written: dict[str, Sentences] = {}
    with httpx.Client(base_url=url, trust_env=False) as client:
        for question in questions:
            found = (
                client.post("/v1/search", json={"query": question, "limit": 2}).raise_for_status().json()["passages"]
            )
            texts = [passage["chunk"]["text"] for passage in found]
            cut = [text[start:end] for text in texts for start, end in sentence_spans(text, lines=True)]
            plain = tuple(dict.fromkeys(sentence for sentence in cut if PLAIN.fullmatch(sentence)))
            written[question] = plain[:MOST_SENTENCES]
    return {question: said for question, said in written.items() if len(said) == MOST_SENTENCES}


async def _measure(service: ServedAgents, written: dict[str, Sentences], seconds: int) -> Streams:
    token_seconds = 1 / TOKENS_PER_SECOND
    answers = await _answered_alone(service.url, written, token_seconds)
    process = psutil.Process(service.process)
    before, used = await _lags(service.url), _processor_seconds(process)
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        idle = loop.run_in_executor(pool, idle_loop, seconds)
        memory: list[int] = []
        sampling = asyncio.create_task(_sample(process, memory))
        read = await keep_streaming(service.url, answers, STREAMS, seconds, token_seconds)
        sampling.cancel()
        used = _processor_seconds(process) - used
        lags = lags_between(before, await _lags(service.url))
        return Streams(len(answers), seconds, tuple(read), tuple(memory), used, lags, await idle)


async def _answered_alone(url: str, written: dict[str, Sentences], token_seconds: float) -> dict[str, Sentences]:
    """The questions to which the service lets through all that the model writes, while nothing else is asked."""
    async with stream_client(url, len(written)) as client:
        asked = [read_stream(client, question, said, token_seconds) for question, said in written.items()]
        read = await asyncio.gather(*asked)
    answers = {question: written[question] for question, one in zip(written, read, strict=True) if one.fault is None}
    if not answers:
        raise NotMeasurable(f"no question is answered with what the model writes, such as {read[0].fault}")
    return answers


async def _lags(url: str) -> dict[str, int]:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        return lags_in((await client.get("/metrics")).raise_for_status().text)


async def _sample(process: psutil.Process, memory: list[int]) -> None:
    while True:
        memory.append(process.memory_info().rss)
        await asyncio.sleep(SAMPLE_SECONDS)


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def tables(record: Measured[Streams]) -> str:
    """The section of the document."""
    streams = record.result
    whole = [one for one in streams.read if one.fault is None]
    faults = len(streams.read) - len(whole)
    late = later_than(streams.lags, LATE)
    slower = [one.seconds / one.written_seconds for one in whole]
    first = [one.first_sentence_seconds for one in whole]
    reached = against(f"**{streams.growth:+.1%}**", f"at most {MOST_GROWTH:.0%}", streams.growth <= MOST_GROWTH)
    rows = [
        ("streams that ended", f"{len(streams.read):,} in {streams.seconds} s"),
        ("errors, and sentences lost or out of order", against(f"**{faults}**", "none", faults == 0)),
        ("first sentence", f"{median(first):.2f} s (99th percentile {percentile(first, 0.99):.2f} s)"),
        ("a stream, of what its model takes", f"{median(slower):.3f} (99th percentile {percentile(slower, 0.99):.3f})"),
        (
            f"event loop blocked over {LONGEST_BLOCK}",
            against(f"**{late}** times in {streams.lags['+Inf']:,} looks", "never", late == 0),
        ),
        ("longest delay of the loop", longest(streams.lags)),
        ("longest delay of an idle loop at the same time", longest(streams.idle_lags)),
        ("memory of the service at the end", f"{streams.memory[-1] / 2**20:.0f} MiB"),
        ("its growth from the second fifth of the time to the last", reached),
        ("processor time of the service", f"{streams.processor_seconds:.0f} s"),
    ]
    caption = f"{STREAMS} clients, {TOKENS_PER_SECOND} tokens a second each, {streams.questions} questions, all traced."
    return f"{provenance_line(record)}\n\n{caption}\n\n{table(('what', 'figure'), rows)}"
