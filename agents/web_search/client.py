"""Asks the web search server, as any MCP client does: by the official SDK over streamable HTTP."""

import time
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolRequest, CallToolRequestParams, CallToolResult, TextContent
from pydantic import ValidationError

from agents.settings import WebSearchServer
from agents.web_search.results import HEALTH_PATH, SEARCH_TOOL, FoundPages, ServerHealth

CONNECT_SECONDS = 5.0
HEALTH_SECONDS = 5.0
NO_KEY = "the web search server has no API key to search with"
AWAY_SECONDS = 10.0
"""For so long nobody waits again for a server that could not be reached."""
PROTOCOL = "2026-07-28"
"""From this revision on a call is one request: no handshake, and nothing for the server to remember between calls."""


class WebSearchUnavailable(Exception):
    """The web cannot be searched now; the message says why."""


@dataclass(frozen=True)
class WebResult:
    """A page that was found. `text` is plain text of somebody else: data, never instructions; `score` is 0..1."""

    url: str
    title: str
    text: str
    score: float


class WebSearch:
    """A pool of connections to the web search server. Nothing is connected before the first call.

    `off` is whether the server said last that it has no key; then there is no use in asking it.
    """

    def __init__(self, server: WebSearchServer) -> None:
        self._server = server
        # The time for an answer is the protocol's, whose end says that the server is slow and not that it is away.
        silence = server.seconds + CONNECT_SECONDS
        self._http = httpx2.AsyncClient(timeout=httpx2.Timeout(silence, connect=CONNECT_SECONDS))
        self._away_until = 0.0
        self.off = False

    async def check(self) -> None:
        """Ask the server whether it can search; nothing is searched for.

        Raises:
            WebSearchUnavailable: it does not answer, has no key, or Tavily did not answer the last search.
        """
        where = urljoin(self._server.url, HEALTH_PATH)
        try:
            response = await self._http.get(where, timeout=HEALTH_SECONDS)
            health = ServerHealth.model_validate_json(response.raise_for_status().content)
        except httpx2.HTTPStatusError as error:
            refused = f"the web search server at {where!r} answers with status {error.response.status_code}"
            raise WebSearchUnavailable(f"{refused}: its log says why") from error
        except httpx2.HTTPError as error:
            why = f"{where!r} does not answer ({type(error).__name__})"
            raise WebSearchUnavailable(f"the web search server at {why}") from error
        except ValidationError as error:
            raise WebSearchUnavailable(f"what answers at {where!r} is not a web search server") from error
        self.off = health.search == "off"
        if self.off:
            raise WebSearchUnavailable(NO_KEY)
        if health.search == "failing":
            raise WebSearchUnavailable(f"the last search failed: {health.reason}")

    async def search(self, query: str, limit: int) -> tuple[WebResult, ...]:
        """At most `limit` pages for `query`, best first. Cancelling it ends the search at Tavily too.

        Raises:
            WebSearchUnavailable: no answer in time, or the server refused: it has no key, or its limit is reached.
                After a server could not be reached, this is raised at once for `AWAY_SECONDS`.
        """
        if time.monotonic() < self._away_until:
            raise WebSearchUnavailable(f"the web search server {self._server.url!r} could not be reached just now")
        result = await self._call(SEARCH_TOOL, {"query": query, "limit": limit})
        if result.is_error:
            raise WebSearchUnavailable(f"the web search server refused: {_text(result)}")
        try:
            found = FoundPages.model_validate(result.structured_content)
        except ValidationError as error:
            raise WebSearchUnavailable(f"the web search server answered in another form: {error}") from error
        return tuple(WebResult(page.url, page.title, page.text, page.score) for page in found.results[:limit])

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(self, tool: str, arguments: dict[str, str | int]) -> CallToolResult:
        # A client of its own for every call costs no round trip, and its tasks end with the call's. What comes back is
        # checked here: the SDK's own check would ask for the list of tools before every call.
        transport = streamable_http_client(self._server.url, http_client=self._http)
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments))
        try:
            async with Client(transport, mode=PROTOCOL, read_timeout_seconds=self._server.seconds) as client:
                return await client.session.send_request(request, CallToolResult)
        except ExceptionGroup as group:
            raise self._unavailable(group) from group

    def _unavailable(self, group: ExceptionGroup) -> WebSearchUnavailable:
        where = f"the web search server {self._server.url!r}"
        if others := group.split((httpx2.HTTPError, MCPError, ValidationError))[1]:
            raise others
        if group.subgroup(httpx2.HTTPError):
            self._away_until = time.monotonic() + AWAY_SECONDS
            return WebSearchUnavailable(f"{where} cannot be reached")
        return WebSearchUnavailable(f"{where} failed: {_first(group)}")


def _first(group: BaseExceptionGroup) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _text(result: CallToolResult) -> str:
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))
