"""The real service with the real web search server beside it; scripted are the models, Tavily and Prefect."""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agents.service import create_app
from agents.settings import Settings
from agents.web_search import server as web_search_server
from agents.web_search.settings import WebSearchSettings
from tests.agents.conftest import KEY_VARIABLE, Running, service_settings
from tests.agents.corpus_generation import build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway, ThreadedServer
from tests.agents.web_search.tavily_api import KEY, TavilyApi
from tests.ports import free_port


@dataclass
class PrefectApi:
    """The two requests that start a flow run; `keys` and `authorized` are the keys and headers that arrived."""

    keys: list[str] = field(default_factory=list[str])
    authorized: list[str | None] = field(default_factory=list[str | None])
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        found = Route("/api/deployments/name/knowledge/local", self._deployment)
        self._server = ThreadedServer(
            Starlette(routes=[found, Route("/api/deployments/d1/create_flow_run", self._run, methods=["POST"])]),
            self.port,
        )
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    async def _deployment(self, request: Request) -> Response:
        self.authorized.append(request.headers.get("authorization"))
        return JSONResponse({"id": "d1"})

    async def _run(self, request: Request) -> Response:
        self.authorized.append(request.headers.get("authorization"))
        self.keys.append((await request.json())["idempotency_key"])
        return JSONResponse({"id": "r1"}, 201)


@dataclass(frozen=True)
class Talk:
    """Everything that a user talks to, each part of which can be stopped."""

    running: Running
    tavily: TavilyApi
    web: ThreadedServer
    prefect: PrefectApi

    @property
    def gateway(self) -> ScriptedGateway:
        return self.running.gateway

    def events(self, question: str) -> str:
        """The stream of events of an answer, as it comes."""
        body, headers = {"question": question}, {"accept": "text/event-stream"}
        response = httpx.post(f"{self.running.url}/v1/ask", json=body, headers=headers, timeout=60)
        assert response.status_code == 200, response.text
        return response.text

    def ask(self, question: str, **more: Any) -> dict[str, Any]:
        response = self.running.ask(question, **more)
        assert response.status_code == 200, response.text
        return response.json()


def web_search(port: int, tavily: TavilyApi, key: str | None = KEY) -> ThreadedServer:
    """The real web search server, which is not started yet; with `key` None it has none."""
    hosts = ["127.0.0.1:*"]
    served = WebSearchSettings(host="127.0.0.1", port=port, allowed_hosts=hosts, api_url=tavily.url)
    return ThreadedServer(web_search_server.create_app(served, key), port)


@contextmanager
def talk(
    directory: Path, *, web: bool = True, settings: Mapping[str, Any] | None = None, **limits: Any
) -> Generator[Talk]:
    """Start all of it; `settings` replace those of the service by their names."""
    gateway, tavily, prefect = ScriptedGateway(), TavilyApi(), PrefectApi()
    search = web_search(free_port(), tavily)
    told = service_settings(gateway.url, directory / "knowledge", **limits).model_dump()
    told["web_search"] = {"url": f"{search.url}/mcp", "seconds": 60} if web else None
    with pytest.MonkeyPatch.context() as environment, ExitStack() as started:
        environment.setenv(KEY_VARIABLE, "sk-test")
        build_generation(directory / "knowledge", "g1", corpus_chunks())
        service = ThreadedServer(create_app(Settings.model_validate({**told, **(settings or {})})), free_port())
        for part in (gateway, tavily, prefect, search, service):
            part.start()
            started.callback(part.stop)
        running = Running(service.url, gateway, directory / "knowledge")
        running.wait_until_ready()
        yield Talk(running, tavily, search, prefect)


def web_route(talking: Talk, *, on: bool, reason: str | None = None) -> dict[str, Any]:
    """What is said of the web, once the service has found out that it is on or off, and that for `reason`."""
    for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=0.2):
        with attempt:
            web = httpx.get(f"{talking.running.url}/readyz", timeout=60).json()["web"]
            assert web["on"] is on, web
            assert (reason or "") in (web["reason"] or ""), web
            return web
    raise AssertionError("unreachable")
