"""Web searches as tool calls in the trace of a question."""

import json

from langfuse import LangfuseOtelSpanAttributes as Langfuse
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.trace import SpanKind, Tracer

from agents.settings import WebSearchServer
from agents.tracing.shared import Attributes, shared_attributes
from agents.web_search.client import WebResult, WebSearch

TOOL = "web_search"


class TracedWebSearch(WebSearch):
    """Makes a span of every search; what the pages say is not in it, only where they are and how well they fit."""

    def __init__(self, server: WebSearchServer, tracer: Tracer) -> None:
        super().__init__(server)
        self._tracer = tracer

    async def search(self, query: str, limit: int) -> tuple[WebResult, ...]:
        """As `WebSearch.search`."""
        if not shared_attributes():
            return await super().search(query, limit)
        arguments = json.dumps({"query": query, "limit": limit}, ensure_ascii=False)
        attributes: Attributes = {
            gen_ai.GEN_AI_OPERATION_NAME: "execute_tool",
            gen_ai.GEN_AI_TOOL_NAME: TOOL,
            gen_ai.GEN_AI_TOOL_TYPE: "function",
            gen_ai.GEN_AI_TOOL_CALL_ARGUMENTS: arguments,
            Langfuse.OBSERVATION_TYPE: "tool",
            Langfuse.OBSERVATION_INPUT: arguments,
        }
        with self._tracer.start_as_current_span(
            f"execute_tool {TOOL}", kind=SpanKind.CLIENT, attributes=attributes
        ) as span:
            results = await super().search(query, limit)
            found = [{"url": result.url, "title": result.title, "score": result.score} for result in results]
            said = json.dumps(found, ensure_ascii=False)
            span.set_attributes({gen_ai.GEN_AI_TOOL_CALL_RESULT: said, Langfuse.OBSERVATION_OUTPUT: said})
            return results
