"""Clients that read streams of `POST /v1/ask`, and whether what arrives is what the model wrote, in its order."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

ANSWER_SECONDS = 90.0
"""Longer than the service gives its model."""
Sentences = tuple[str, ...]


@dataclass(frozen=True)
class Stream:
    """One answer as it arrived; `fault` says what was wrong with it, None when it is all that the model wrote."""

    first_sentence_seconds: float
    seconds: float
    written_seconds: float
    fault: str | None


async def read_stream(client: httpx.AsyncClient, question: str, wanted: Sentences, token_seconds: float) -> Stream:
    """Ask `question`, and compare the sentences that arrive with `wanted`, the model's own."""
    began, first = time.perf_counter(), 0.0
    arrived: list[str] = []
    fault: str | None = "the stream ended without an answer"
    try:
        async with client.stream("POST", "/v1/ask", json={"question": question}) as response:
            event = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "sentence_released":
                    first = first or time.perf_counter() - began
                    arrived.append(json.loads(value)["sentence"]["text"])
                elif name == "data" and event == "done":
                    fault = _fault(wanted, arrived, json.loads(value)["answer"])
                elif name == "data" and event == "error":
                    fault = f"error: {value}"
                elif not response.is_success:
                    fault = f"status {response.status_code}: {line}"
    except httpx.HTTPError as error:
        fault = f"{type(error).__name__}: {error}"
    words = len(" ".join(wanted).split(" "))
    # The first token comes at once.
    return Stream(first, time.perf_counter() - began, (words - 1) * token_seconds, fault)


def _fault(wanted: Sentences, arrived: Sequence[str], answer: Mapping[str, Any]) -> str | None:
    if tuple(arrived) != wanted:
        return f"arrived {arrived!r} instead of {wanted!r}"
    said = [sentence["text"] for sentence in answer["sentences"]]
    return None if said == arrived else f"answered {said!r} after {arrived!r}"


async def keep_streaming(
    url: str, answers: Mapping[str, Sentences], streams: int, seconds: float, token_seconds: float
) -> list[Stream]:
    """Have `streams` clients ask for `seconds`, each the next question as soon as its stream has ended.

    They begin one after the other over the length of an answer: clients do not all come in the same moment.
    """
    deadline = time.perf_counter() + seconds
    questions = list(answers)
    longest = max(len(" ".join(said).split(" ")) for said in answers.values()) * token_seconds

    async def ask_on(number: int) -> list[Stream]:
        read: list[Stream] = []
        await asyncio.sleep(number / streams * longest)
        while time.perf_counter() < deadline:
            question = questions[(number + len(read)) % len(questions)]
            read.append(await read_stream(client, question, answers[question], token_seconds))
        return read

    async with stream_client(url, streams) as client:
        return [stream for read in await asyncio.gather(*map(ask_on, range(streams))) for stream in read]


def stream_client(url: str, streams: int) -> httpx.AsyncClient:
    """A client that may have so many streams open at once."""
    limits = httpx.Limits(max_connections=streams, max_keepalive_connections=streams)
    headers = {"accept": "text/event-stream"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=ANSWER_SECONDS, limits=limits, trust_env=False)
