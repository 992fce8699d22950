"""Langfuse at the network boundary: takes OTLP over HTTP and scores, and decodes what arrives."""

import asyncio
import base64
import gzip
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import stamina
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agents.settings import Langfuse
from agents.tracing.export import TRACES_PATH
from tests.agents.scripted_gateway import ThreadedServer
from tests.ports import free_port

PUBLIC_KEY, SECRET_KEY = "pk-lf-test", "sk-lf-test"
AUTHORIZATION = "Basic " + base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
SCORES_PATH = "/api/public/scores"
PROJECTS_PATH = "/api/public/projects"
WAIT_SECONDS = 90

Found = TypeVar("Found")


@dataclass(frozen=True)
class ReceivedSpan:
    """One span as it arrived; `status` is 2 when it failed."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    events: tuple[tuple[str, dict[str, Any]], ...]
    status: int
    message: str
    began: int
    ended: int
    resource: dict[str, Any]


@dataclass
class PlayedLangfuse:
    """`status` is what requests are answered with; while `answering` is not set, none is answered at all.

    `scores_status` is for scores alone; the first `refused_scores` of a batch are refused. `scores_answer` is what they
    are answered with, status 200, in place of what Langfuse says.
    """

    status: int = 200
    scores_status: int = 200
    refused_scores: int = 0
    scores_answer: Any = None
    spans: list[ReceivedSpan] = field(default_factory=list[ReceivedSpan])
    scores: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    requests: list[str] = field(default_factory=list[str])
    answering: threading.Event = field(default_factory=threading.Event)
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        self.answering.set()
        self._server = ThreadedServer(Starlette(routes=self.routes()), self.port)
        self._server.start()

    def routes(self) -> list[Route]:
        taken = [Route(path, self._take, methods=["POST"]) for path in (TRACES_PATH, SCORES_PATH)]
        return [*taken, Route(PROJECTS_PATH, self._projects)]

    def stop(self) -> None:
        self.answering.set()
        self._server.stop()

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def trace(self, trace_id: str) -> dict[str, list[ReceivedSpan]]:
        """The spans of a trace by their names, in the order in which they began, once the root, the last, is there."""

        def complete() -> list[ReceivedSpan]:
            found = [span for span in self.spans if span.trace_id == trace_id]
            assert any(not span.parent_id for span in found), [span.name for span in found]
            return found

        named: dict[str, list[ReceivedSpan]] = {}
        for span in sorted(wait_for(complete), key=lambda span: span.began):
            named.setdefault(span.name, []).append(span)
        return named

    async def _projects(self, _: Request) -> Response:
        organization = {"id": "o", "name": "organization"}
        return JSONResponse({"data": [{"id": "p", "name": "project", "organization": organization, "metadata": {}}]})

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append(request.url.path)
        while not self.answering.is_set():
            await asyncio.sleep(0.02)
        if request.headers["authorization"] != AUTHORIZATION:
            return Response(status_code=401)
        if self.status != 200:
            return Response(status_code=self.status)
        if request.url.path == SCORES_PATH:
            if self.scores_status != 200:
                return Response(status_code=self.scores_status)
            if self.scores_answer is not None:
                return JSONResponse(self.scores_answer)
            scores = await request.json()
            self.scores.extend(scores[self.refused_scores :])
            if self.refused_scores:
                results = {"accepted": len(scores) - self.refused_scores, "rejected": self.refused_scores, "errors": []}
                return JSONResponse(results, 207)
            return JSONResponse({"message": "Accepted"}, 202)
        self.spans.extend(decoded(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body))
        return Response(ExportTraceServiceResponse().SerializeToString(), media_type="application/x-protobuf")


def decoded(body: bytes) -> list[ReceivedSpan]:
    """The spans of one request."""
    exported = ExportTraceServiceRequest.FromString(body)
    return [
        ReceivedSpan(
            span.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            _values(span.attributes),
            tuple((event.name, _values(event.attributes)) for event in span.events),
            span.status.code,
            span.status.message,
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            _values(of.resource.attributes),
        )
        for of in exported.resource_spans
        for scope in of.scope_spans
        for span in scope.spans
    ]


def langfuse_at(host: str) -> Langfuse:
    """What the service is told of a played Langfuse."""
    return Langfuse(host=host, public_key=PUBLIC_KEY, secret_key_variable="TEST_SECRET")


def wait_for(look: Callable[[], Found]) -> Found:
    """What `look` returns once its assertions hold."""
    for attempt in stamina.retry_context(on=AssertionError, timeout=WAIT_SECONDS, attempts=None, wait_max=0.1):
        with attempt:
            return look()
    raise AssertionError("unreachable")


def _values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in attributes}
