"""A played OpenSearch: the requests by which the service reads one generation; it can stop answering, or be stopped."""

import gzip
import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agents.knowledge.generation import Manifest
from agents.knowledge.store import Chunk
from tests.agents.scripted_gateway import ThreadedServer, embedding
from tests.ports import free_port

PREFIX = "played"


@dataclass
class PlayedOpenSearch:
    """Serves `manifest` with its `chunks`, ranked by the cosine of their words; while `answers` is not set it hangs."""

    manifest: Manifest
    chunks: list[Chunk]
    port: int = field(default_factory=free_port)
    answers: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.answers.set()
        routes = [
            Route(f"/{PREFIX}-*/_alias/{PREFIX}", self._alias),
            Route(f"/{PREFIX}-manifests/_doc/{{name}}", self._manifest),
            Route("/{index}/_msearch", self._search, methods=["POST"]),
            Route("/{rest:path}", self._nothing),
        ]
        self._server = ThreadedServer(Starlette(routes=routes), self.port)
        self._server.start()

    def stop(self) -> None:
        self.answers.set()
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _alias(self, request: Request) -> Response:
        return await self._answer({f"{PREFIX}-{self.manifest.generation}": {"aliases": {PREFIX: {}}}})

    async def _manifest(self, request: Request) -> Response:
        source = {"generation": self.manifest.generation, "manifest": self.manifest.model_dump_json()}
        return await self._answer({"found": True, "_source": source})

    async def _search(self, request: Request) -> Response:
        body = gzip.decompress(await request.body())
        _, lexical, _, dense = [json.loads(line) for line in body.splitlines()]
        words = embedding(lexical["query"]["bool"]["must"][0]["match"]["searchable_text"])
        legs = [self._hits(words), self._hits(dense["query"]["knn"]["vector"]["vector"])]
        return await self._answer({"responses": [{"hits": {"hits": hits}} for hits in legs]})

    async def _nothing(self, request: Request) -> Response:
        return await self._answer({"error": "not found", "status": 404}, 404)

    def _hits(self, vector: list[float]) -> list[dict[str, Any]]:
        scored = [(self._cosine(vector, embedding(chunk.searchable_text)), chunk) for chunk in self.chunks]
        best = sorted(scored, key=lambda each: -each[0])
        return [{"_score": (1 + cosine) / 2, "_source": asdict(chunk)} for cosine, chunk in best]

    @staticmethod
    def _cosine(one: list[float], other: list[float]) -> float:
        return sum(x * y for x, y in zip(one, other, strict=True))

    async def _answer(self, content: Any, status: int = 200) -> Response:
        await run_in_threadpool(self.answers.wait)
        return JSONResponse(content, status)
