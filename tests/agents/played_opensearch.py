"""A played OpenSearch: the requests by which the service reads one generation; it can stop answering, or be stopped."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agents.knowledge.generation import Manifest
from agents.knowledge.store import Chunk
from tests.agents.corpus_generation import build_generation, corpus_chunks
from tests.agents.scripted_gateway import ThreadedServer, embedding
from tests.ports import free_port

PREFIX = "played"


@dataclass
class PlayedOpenSearch:
    """Serves `manifest` with its `chunks`, ranked by the cosine of their words; while `answers` is not set it hangs.

    `refusal` is the status and body of every answer instead, and `alias` the generation that the alias names instead.
    """

    manifest: Manifest
    chunks: list[Chunk]
    port: int = field(default_factory=free_port)
    answers: threading.Event = field(default_factory=threading.Event)
    refusal: tuple[int, Any] | None = None
    alias: str | None = None

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
        return await self._answer({f"{PREFIX}-{self.alias or self.manifest.generation}": {"aliases": {PREFIX: {}}}})

    async def _manifest(self, request: Request) -> Response:
        if request.path_params["name"] != self.manifest.generation:
            return await self._nothing(request)
        source = {"generation": self.manifest.generation, "manifest": self.manifest.model_dump_json()}
        return await self._answer({"found": True, "_source": source})

    async def _search(self, request: Request) -> Response:
        _, lexical, _, dense = [json.loads(line) for line in (await request.body()).splitlines()]
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
        status, content = self.refusal or (status, content)
        return JSONResponse(content, status)


@contextmanager
def playing_opensearch(directory: Path) -> Generator[PlayedOpenSearch]:
    """Play one that serves the corpus as generation `g1`; `directory` is where it is built."""
    chunks = corpus_chunks()
    manifest = build_generation(directory, "g1", chunks).model_copy(update={"state": "ready"})
    played = PlayedOpenSearch(manifest, chunks)
    played.start()
    yield played
    played.stop()


def store_of(played: PlayedOpenSearch) -> dict[str, Any]:
    """The settings by which the service reads it."""
    return {"engine": "opensearch", "endpoint": played.url, "index_prefix": PREFIX, "shards": 1, "replicas": 0}
