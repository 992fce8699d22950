"""Langfuse at the network boundary that also lets read what it was sent, and keeps datasets, by its public API."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.agents.tracing.played_langfuse import AUTHORIZATION, PlayedLangfuse, ReceivedSpan

OBSERVATIONS_PATH = "/api/public/v2/observations"
DATASETS_PATH = "/api/public/v2/datasets"
ITEMS_PATH = "/api/public/dataset-items"
LONGEST_METADATA = 200
"""Characters of a value, beyond which Langfuse cuts it off unless it is asked for by name."""

BORN = {"createdAt": "2030-01-01T00:00:00Z", "updatedAt": "2030-01-01T00:00:00Z"}


@dataclass
class ReadableLangfuse(PlayedLangfuse):
    """What it was sent seems to have happened `ago`; it gives at most `page` observations at once."""

    ago: timedelta = timedelta(hours=1)
    page: int = 1000
    items: dict[str, dict[str, Any]] = field(default_factory=dict[str, Any])
    datasets: set[str] = field(default_factory=set[str])

    def routes(self) -> list[Route]:
        own = [
            Route(OBSERVATIONS_PATH, self._observations),
            Route(DATASETS_PATH, self._dataset, methods=["POST"]),
            Route(ITEMS_PATH, self._list_items),
            Route(ITEMS_PATH, self._put_item, methods=["POST"]),
        ]
        return [*super().routes(), *own]

    def _refusal(self, request: Request) -> Response | None:
        self.requests.append(request.url.path)
        if request.headers["authorization"] != AUTHORIZATION:
            return Response(status_code=401)
        return None if self.status == 200 else Response(status_code=self.status)

    async def _dataset(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        self.datasets.add(body["name"])
        return JSONResponse({"id": "d", "projectId": "p", "metadata": None, **body, **BORN})

    async def _list_items(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        asked, found = request.query_params, [*self.items.values()]
        page, size = int(asked["page"]), min(self.page, int(asked["limit"]))
        assert {item["datasetName"] for item in found} <= {asked["datasetName"]} <= self.datasets
        pages = -(-len(found) // size)
        meta = {"page": page, "limit": size, "totalItems": len(found), "totalPages": pages}
        return JSONResponse({"data": found[(page - 1) * size : page * size], "meta": meta})

    async def _put_item(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        assert body["datasetName"] in self.datasets
        self.items[body["id"]] = {"datasetId": "d", "mediaReferences": [], **body, **BORN}
        return JSONResponse(self.items[body["id"]])

    async def _observations(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        asked = request.query_params
        found = [span for span in self.spans if self._wanted(span, asked)]
        start, size = int(asked.get("cursor", 0)), min(self.page, int(asked["limit"]))
        groups = asked["fields"].split(",")
        data = [self._said(span, groups) for span in found[start : start + size]]
        cursor = str(start + size) if start + size < len(found) else None
        return JSONResponse({"data": data, "meta": {"cursor": cursor}})

    def _wanted(self, span: ReceivedSpan, asked: Any) -> bool:
        at = self._time(span.began)
        return (
            asked.get("name", span.name) == span.name
            and asked.get("traceId", span.trace_id) == span.trace_id
            and asked.get("environment", span.attributes["langfuse.environment"])
            == span.attributes["langfuse.environment"]
            and not (asked.get("isRootObservation") == "true" and span.parent_id)
            and ("fromStartTime" not in asked or datetime.fromisoformat(asked["fromStartTime"]) <= at)
            and ("toStartTime" not in asked or at < datetime.fromisoformat(asked["toStartTime"]))
        )

    def _said(self, span: ReceivedSpan, groups: list[str]) -> dict[str, Any]:
        """As Langfuse maps OpenTelemetry: https://langfuse.com/integrations/native/opentelemetry#property-mapping."""
        attributes = span.attributes
        said: dict[str, Any] = {
            "id": span.span_id,
            "traceId": span.trace_id,
            "startTime": self._time(span.began).isoformat(),
            "endTime": self._time(span.ended).isoformat(),
            "projectId": "p",
            "parentObservationId": span.parent_id or None,
            "type": attributes.get("langfuse.observation.type", "span").upper(),
        }
        if "basic" in groups:
            said |= {"name": span.name, "isRootObservation": not span.parent_id}
        if "io" in groups:
            said |= {key: attributes.get(f"langfuse.observation.{key}") for key in ("input", "output")}
        if "metadata" in groups:
            prefix = "langfuse.trace.metadata."
            known = {key.removeprefix(prefix): value for key, value in attributes.items() if key.startswith(prefix)}
            texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in known.items()}
            said["metadata"] = {key: text[:LONGEST_METADATA] for key, text in texts.items()}
        return said

    def _time(self, nanoseconds: int) -> datetime:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC) - self.ago
