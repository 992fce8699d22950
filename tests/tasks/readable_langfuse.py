"""Langfuse at the network boundary that also lets read what it was sent, by its API `v2/observations`."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.agents.tracing.played_langfuse import AUTHORIZATION, PlayedLangfuse, ReceivedSpan

OBSERVATIONS_PATH = "/api/public/v2/observations"
LONGEST_METADATA = 200
"""Characters of a value, beyond which Langfuse cuts it off unless it is asked for by name."""


@dataclass
class ReadableLangfuse(PlayedLangfuse):
    """What it was sent seems to have happened `ago`; it gives at most `page` observations at once."""

    ago: timedelta = timedelta(hours=1)
    page: int = 1000

    def routes(self) -> list[Route]:
        return [*super().routes(), Route(OBSERVATIONS_PATH, self._observations)]

    async def _observations(self, request: Request) -> Response:
        self.requests.append(request.url.path)
        if request.headers["authorization"] != AUTHORIZATION:
            return Response(status_code=401)
        if self.status != 200:
            return Response(status_code=self.status)
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
