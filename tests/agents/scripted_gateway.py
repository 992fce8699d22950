"""A scripted OpenAI-compatible HTTP server: the models of these tests, at the network boundary."""

import asyncio
import hashlib
import json
import math
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from agents.evaluation.terms import content_terms
from tests.ports import free_port

DIMENSION = 256
MODEL = "embedding"


def embedding(text: str, model: str = MODEL) -> list[float]:
    """A unit vector of hashed content terms: texts that share words are near to each other, for the same model."""
    salt = "" if model == MODEL else model
    vector = [0.0] * DIMENSION
    for term in content_terms(text):
        vector[int.from_bytes(hashlib.sha256(f"{salt}{term}".encode()).digest()[:4], "big") % DIMENSION] += 1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


class ThreadedServer:
    """A uvicorn server in a thread of its own."""

    def __init__(self, app: Any, port: int, **options: Any) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1, **options
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
            assert self._thread.is_alive(), f"no server at {self.url}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@dataclass
class ScriptedGateway:
    """`reply` is what the chat model says, word by word; `hold` keeps it from going on after `held_after` words,
    and `held` tells that it has come there.

    `usage` is reported at the end of a reply, and every answer has `headers`.
    `first_replies` are said before it, one a prompt. Whoever asks for JSON is given what `verdict_of` makes of the
    request, or without one the next of the `verdicts`, and refused with status 500 when none is left. `embedded_by`
    names the model of each of the `questions`. `page` is what every model answers, with status 200, as of a proxy
    before the gateway; `refusal` is the error of other statuses.
    `refused` counts refusals; the next that are `limited` are those of a gateway with too much to do, which says
    `retry_after`. A text that begins with `unembedded` is refused with status 400. Without `embeds` no vector is made:
    `awaited` are the texts that wait for one, `abandoned` those of callers who went away meanwhile.
    """

    reply: str = ""
    limited: int = 0
    retry_after: str = "1"
    first_replies: list[str] = field(default_factory=list[str])
    verdict_of: Callable[[Any], Any] | None = None
    verdicts: list[Any] = field(default_factory=list[Any])
    judged: list[Any] = field(default_factory=list[Any])
    held_after: int | None = None
    chat_status: int = 200
    embedding_status: int = 200
    page: str | None = None
    embeds: bool = True
    unembedded: str | None = None
    refusal: dict[str, Any] = field(default_factory=lambda: {"message": "Received API Key = sk-secret"})
    awaited: list[str] = field(default_factory=list[str])
    abandoned: list[str] = field(default_factory=list[str])
    refused: int = 0
    usage: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    questions: list[str] = field(default_factory=list[str])
    embedded_by: list[str] = field(default_factory=list[str])
    prompts: list[Any] = field(default_factory=list[Any])
    keys: set[str] = field(default_factory=set[str])
    hold: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        self._server = ThreadedServer(self.application(), self.port)
        self._server.start()

    def stop(self) -> None:
        self.hold.set()
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def application(self) -> FastAPI:
        app = FastAPI()

        @app.get("/v1/models")
        async def models() -> Any:
            return {"object": "list", "data": []}

        # LiteLLM answers with and without the version in the path.
        @app.post("/embeddings")
        @app.post("/v1/embeddings")
        async def embeddings(request: Request) -> Any:
            if (instead := self._instead(self.embedding_status)) is not None:
                return instead
            body = await request.json()
            if self.unembedded is not None and body["input"].startswith(self.unembedded):
                return JSONResponse({"error": self.refusal}, 400)
            if not self.embeds and await self._is_abandoned(request, body["input"]):
                return Response()
            self.questions.append(body["input"])
            self.embedded_by.append(body["model"])
            vector = embedding(body["input"], body["model"])
            data = [{"object": "embedding", "index": 0, "embedding": vector}]
            answer = {"object": "list", "data": data, "model": body["model"], "usage": {}}
            return JSONResponse(answer, headers=self.headers)

        @app.post("/chat/completions")
        @app.post("/v1/chat/completions")
        async def chat(request: Request) -> Any:
            self.keys.add(request.headers.get("authorization", ""))
            if (instead := self._instead(self.chat_status)) is not None:
                return instead
            body = await request.json()
            if "response_format" in body:
                return self._verdict(body)
            probe = body["max_tokens"] == 1
            if not probe:
                self.prompts.append(body["messages"])
            said = "ok" if probe else self.first_replies.pop(0) if self.first_replies else self.reply
            return StreamingResponse(self._stream(said), media_type="text/event-stream", headers=self.headers)

        return app

    async def _is_abandoned(self, request: Request, text: str) -> bool:
        """Wait until there are vectors; whether the caller went away before."""
        self.awaited.append(text)
        while not self.embeds and not self.hold.is_set():
            if await request.is_disconnected():
                self.abandoned.append(text)
                return True
            await asyncio.sleep(0.01)
        return False

    def _instead(self, status: int) -> Response | None:
        if self.page is not None:
            return HTMLResponse(self.page)
        if self.limited > 0:
            self.limited -= 1
            self.refused += 1
            return JSONResponse({"error": {"message": "no"}}, 429, {"retry-after": self.retry_after})
        if status == 200:
            return None
        self.refused += 1
        return JSONResponse({"error": self.refusal}, status)

    def _verdict(self, body: Any) -> JSONResponse:
        self.judged.append(body)
        if self.verdict_of is None and not self.verdicts:
            return JSONResponse({"error": {"message": "no"}}, 500)
        verdict = self.verdicts.pop(0) if self.verdict_of is None else self.verdict_of(body)
        message = {"role": "assistant", "content": json.dumps(verdict)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        head = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"]}
        return JSONResponse({**head, "choices": [choice]})

    async def _stream(self, reply: str) -> AsyncIterator[str]:
        try:
            for position, word in enumerate(reply.split(" ")):
                while position == self.held_after and not self.hold.is_set():
                    self.held.set()
                    await asyncio.sleep(0.01)
                piece = {"content": word if position == 0 else f" {word}"}
                choice = {"index": 0, "delta": piece, "finish_reason": None}
                head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "chat"}
                yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
                await asyncio.sleep(0)
            if self.usage is not None:
                head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "chat"}
                yield f"data: {json.dumps({**head, 'choices': [], 'usage': self.usage})}\n\n"
            yield "data: [DONE]\n\n"
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
