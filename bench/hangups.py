"""Callers that hang up in the middle of an answer: how soon the model, too, is left alone."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median
from typing import Any

import httpx
from pydantic import TypeAdapter

from bench.agent_service import ServedAgents, served_agents
from bench.ask import evidence_script
from bench.document import against, provenance_line, seconds, table
from bench.options import BENCH_DIRECTORY, MeasurementFailed, Options, local_environment
from bench.processes import in_new_process
from bench.record import Measured
from bench.refreshing import refresh
from bench.simulated_gateway import Script, Written
from tasks.environment import REPOSITORY
from tasks.golden.dataset import read_golden_set

HANGUPS, QUICK_HANGUPS = 50, 5
TOKENS_PER_SECOND = 20
"""The model's server notices at its next token at the latest."""
WORDS = 1_000
MOST_SECONDS = 1.0
GIVEN_UP_SECONDS = 30.0
LOOK_SECONDS = 0.01

# What a caller sends, by how it wants the answer: path, headers, body.
INTERFACES: Mapping[str, tuple[str, dict[str, str], Callable[[str], dict[str, Any]]]] = {
    "`/v1/ask`, events": ("/v1/ask", {"accept": "text/event-stream"}, lambda question: {"question": question}),
    "`/v1/ask`, JSON": ("/v1/ask", {}, lambda question: {"question": question}),
    "`/v1/chat/completions`, streamed": ("/v1/chat/completions", {}, lambda question: _completion(question, True)),
    "`/v1/chat/completions`, whole": ("/v1/chat/completions", {}, lambda question: _completion(question, False)),
}


@dataclass(frozen=True)
class Hangups:
    """By interface, the seconds from a caller's hanging up until the model had no reader any more."""

    seconds: dict[str, tuple[float, ...]]


RECORD = TypeAdapter(Measured[Hangups])


def measure(options: Options) -> Hangups:
    """Hang up while the model writes, at each interface, one caller after the other.

    Raises:
        MeasurementFailed: too few questions reach the model, or it still writes long after its caller has gone.
    """
    environment = local_environment("documentation")
    in_new_process(refresh, environment, environment.knowledge.sources)
    questions = [one for one in read_golden_set(REPOSITORY / environment.evaluation.dataset) if one.evidence]
    told = evidence_script(environment, questions)
    script = Script(told.vectors, {question: _long(reply) for question, reply in told.replies.items()}, told.other)
    pace = ("--tokens-per-second", str(TOKENS_PER_SECOND))
    times = QUICK_HANGUPS if options.quick else HANGUPS
    with served_agents(environment, script, BENCH_DIRECTORY / "hangups", pace=pace) as service:
        return asyncio.run(_measure(service, list(told.replies), times))


def _long(reply: str) -> str:
    """The reply again and again without an end of a sentence, so that the service has no reason to stop it."""
    words = reply.replace(".", ",").split(" ")
    return " ".join(words[position % len(words)] for position in range(WORDS))


def _completion(question: str, stream: bool) -> dict[str, Any]:
    return {"model": "agentic-eks", "messages": [{"role": "user", "content": question}], "stream": stream}


async def _measure(service: ServedAgents, questions: Sequence[str], times: int) -> Hangups:
    async with (
        httpx.AsyncClient(base_url=service.url, timeout=GIVEN_UP_SECONDS, trust_env=False) as caller,
        httpx.AsyncClient(base_url=service.gateway, timeout=GIVEN_UP_SECONDS, trust_env=False) as model,
    ):
        measured = {name: await _hang_ups(caller, model, name, questions, times) for name in INTERFACES}
    return Hangups(measured)


async def _hang_ups(
    caller: httpx.AsyncClient, model: httpx.AsyncClient, interface: str, questions: Sequence[str], times: int
) -> tuple[float, ...]:
    took: list[float] = []
    # Some questions end before the model is asked.
    for question in islice(cycle(questions), len(questions) * times):
        if len(took) == times:
            break
        if (one := await _hang_up(caller, model, interface, question)) is not None:
            took.append(one)
    if len(took) < times:
        raise MeasurementFailed(f"{interface}: the model wrote for {len(took)} callers only, of {times} wanted")
    return tuple(took)


async def _hang_up(caller: httpx.AsyncClient, model: httpx.AsyncClient, interface: str, question: str) -> float | None:
    """Seconds from the hang-up until the model's reader had gone, too; None where the model was not asked."""
    seen = await _written(model)
    request = asyncio.create_task(_read(caller, interface, question))
    try:
        async with asyncio.timeout(GIVEN_UP_SECONDS):
            while (await _written(model)).begun == seen.begun:
                if request.done():
                    await request
                    return None
                await asyncio.sleep(LOOK_SECONDS)
            hung_up = time.monotonic()
            request.cancel()
            while len((now := await _written(model)).left) == len(seen.left):
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as error:
        raise MeasurementFailed(f"{interface}: {question!r} was not over after {GIVEN_UP_SECONDS:g} s") from error
    return now.left[-1] - hung_up


async def _read(caller: httpx.AsyncClient, interface: str, question: str) -> None:
    path, headers, body = INTERFACES[interface]
    async with caller.stream("POST", path, headers=headers, json=body(question)) as response:
        response.raise_for_status()
        async for _ in response.aiter_raw():
            pass


async def _written(model: httpx.AsyncClient) -> Written:
    return TypeAdapter(Written).validate_json((await model.get("/written")).raise_for_status().content)


def tables(record: Measured[Hangups]) -> str:
    """The section of the document."""
    rows = [
        (
            name,
            str(len(took)),
            seconds(median(took)),
            against(seconds(max(took)), "at most 1 s", max(took) <= MOST_SECONDS),
        )
        for name, took in record.result.seconds.items()
    ]
    return f"{provenance_line(record)}\n\n{table(('interface', 'callers', 'median', 'longest'), rows)}"
