"""Stands in for gateway and models: answers at once, so that what is left of a question's time is the service's own.

`python -m bench.simulated_gateway --port PORT --script FILE`; the script holds, for every question, its real vector
and what the chat model says. With `--tokens-per-second` each answer is written at that pace, a word a token. `/written`
says how many answers were begun, and when the reader of one went away.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from agents.prompt import TASK


@dataclass(frozen=True)
class Script:
    """Vectors and replies by question; `other` is the vector of any other text, such as that of a probe."""

    vectors: dict[str, list[float]]
    replies: dict[str, str]
    other: list[float]


@dataclass
class Written:
    """The answers that were begun, and when each one that was not read to its end lost its reader.

    The times are those of `time.monotonic()`, which all processes of a machine share.
    """

    begun: int = 0
    left: list[float] = field(default_factory=list[float])


def application(script: Script, token_seconds: float) -> FastAPI:
    """The part of the OpenAI interface that the service uses; a token takes `token_seconds`."""
    app, written = FastAPI(), Written()

    @app.get("/written")
    async def told() -> Written:
        return written

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> dict[str, Any]:
        body = await request.json()
        vector = script.vectors.get(body["input"], script.other)
        data = [{"object": "embedding", "index": 0, "embedding": vector}]
        return {"object": "list", "data": data, "model": body["model"], "usage": {}}

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> StreamingResponse:
        body = await request.json()
        question = asked_question(body["messages"][-1]["content"])
        reply = script.replies.get(question, "ok")
        return StreamingResponse(_observed(_stream(reply, token_seconds), written), media_type="text/event-stream")

    return app


def asked_question(prompt: str) -> str:
    """The question that the prompt of `agents.prompt` ends with; why a draft was refused may follow it."""
    return prompt.rpartition(f"{TASK} ")[2].partition("\n\n")[0]


async def _observed(pieces: AsyncIterator[str], written: Written) -> AsyncIterator[str]:
    written.begun += 1
    try:
        async for piece in pieces:
            yield piece
    except (asyncio.CancelledError, GeneratorExit):
        written.left.append(time.monotonic())
        raise


async def _stream(reply: str, token_seconds: float) -> AsyncIterator[str]:
    began = time.perf_counter()
    for position, word in enumerate(reply.split(" ")):
        # By the clock and not by pauses: a late token is no reason for the next one to be late too.
        if (early := began + position * token_seconds - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        delta = {"content": word if position == 0 else f" {word}"}
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        piece = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "chat", "choices": [choice]}
        yield f"data: {json.dumps(piece)}\n\n"
    yield "data: [DONE]\n\n"


def main() -> None:
    """Serve on loopback until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulated_gateway", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--tokens-per-second", type=float)
    given = parser.parse_args()
    script = TypeAdapter(Script).validate_json(given.script.read_bytes())
    token_seconds = 1 / given.tokens_per_second if given.tokens_per_second else 0.0
    uvicorn.run(application(script, token_seconds), host="127.0.0.1", port=given.port, log_config=None)


if __name__ == "__main__":
    main()
