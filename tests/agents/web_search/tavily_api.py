"""A local HTTP server that speaks Tavily's search API."""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.agents.scripted_gateway import ThreadedServer
from tests.ports import free_port

KEY = "tvly-test-5f0c"


def page(
    text: str, url: str = "https://docs.example.com/ports", title: str = "Ports", score: float = 0.9
) -> dict[str, Any]:
    return {"url": url, "title": title, "content": text, "score": score, "raw_content": None}


@dataclass
class TavilyApi:
    """`results` are what every search finds; `queries` the bodies of the searches that arrived.

    A search that is `held` is not answered: `arrived` and `gone` tell of its caller.
    """

    results: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    status: int = 200
    held: bool = False
    queries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    arrived: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        self._server = ThreadedServer(Starlette(routes=[Route("/search", self._search, methods=["POST"])]), self.port)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _search(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            detail = {"error": f"Unauthorized: invalid API key {request.headers.get('authorization')}"}
            return JSONResponse({"detail": detail}, 401)
        question = await request.json()
        self.queries.append(question)
        if self.held:
            self.arrived.set()
            while not await request.is_disconnected():
                await asyncio.sleep(0.01)
            self.gone.set()
        if self.status != 200:
            return JSONResponse({"detail": {"error": f"no, not with {KEY}"}}, self.status)
        found = self.results[: question["max_results"]]
        return JSONResponse({"query": question["query"], "images": [], "results": found, "response_time": 0.1})
