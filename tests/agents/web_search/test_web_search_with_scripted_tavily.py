"""The real server and clients; Tavily alone is a local HTTP server that speaks its API."""

import asyncio
import logging
from collections.abc import Callable, Generator
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp_types import TextContent

from agents.settings import WebSearchServer
from agents.web_search.client import WebResult, WebSearch, WebSearchUnavailable
from agents.web_search.server import create_app
from agents.web_search.settings import Limits, WebSearchSettings
from tests.agents.scripted_gateway import ThreadedServer
from tests.agents.web_search.tavily_api import KEY, TavilyApi, page
from tests.ports import free_port


@pytest.fixture
def tavily() -> Generator[TavilyApi]:
    api = TavilyApi(results=[page("The service listens on port 8080.")])
    api.start()
    yield api
    api.stop()


@pytest.fixture
def start_server(tavily: TavilyApi) -> Generator[Callable[..., str]]:
    """Starts the server; with another `key`, and any limit by its name. Returns its address."""
    started: list[ThreadedServer] = []

    def start(key: str | None = KEY, **limits: Any) -> str:
        port = free_port()
        settings = WebSearchSettings(
            host="127.0.0.1",
            port=port,
            allowed_hosts=[f"127.0.0.1:{port}"],
            api_url=tavily.url,
            limits=Limits(**limits),
        )
        server = ThreadedServer(create_app(settings, key), port)
        server.start()
        started.append(server)
        return server.url

    yield start
    for server in started:
        server.stop()


async def search(url: str, query: str = "which port?", limit: int = 3, seconds: float = 60) -> tuple[WebResult, ...]:
    web = WebSearch(WebSearchServer(url=f"{url}/mcp", seconds=seconds))
    try:
        return await web.search(query, limit)
    finally:
        await web.close()


async def test_pages_are_found_as_plain_text(start_server: Callable[..., str], tavily: TavilyApi) -> None:
    tavily.results = [
        page("One \u202ehidden\u200b.\U000e0041 [...] Two.", title="A\n page"),
        page("No link.", url="javascript:alert(1)"),
        page("No user.", url="https://a:b@docs.example.com/"),
        page("   "),
        page("Long. " * 100, url="https://example.org/", score=7),
    ]
    found = await search(start_server(text_characters=200), limit=5)
    assert found[0] == WebResult("https://docs.example.com/ports", "A page", "One hidden. \n\n Two.", 0.9)
    assert (found[1].url, len(found[1].text), found[1].score) == ("https://example.org/", 200, 1.0)
    assert len(found) == 2


async def test_a_long_text_comes_cut_and_clean(start_server: Callable[..., str], tavily: TavilyApi) -> None:
    tavily.results = [page("Nothing e\u200blse\u202e. " * 50_000, title="A\u200b page " * 50_000)]
    (found,) = await search(start_server(text_characters=200))
    assert found.text == ("Nothing else. " * 20)[:200]
    assert found.title == ("A page " * 50)[:300]


async def test_the_same_search_is_asked_once(start_server: Callable[..., str], tavily: TavilyApi) -> None:
    url = start_server()
    web = WebSearch(WebSearchServer(url=f"{url}/mcp", seconds=60))
    first = await web.search("Which port?", 3)
    again = await web.search("  which \n PORT? ", 3)
    await web.close()
    assert first == again
    assert [query["query"] for query in tavily.queries] == ["Which port?"]
    assert tavily.queries[0]["max_results"] == 3


async def test_searches_are_counted(start_server: Callable[..., str]) -> None:
    url = start_server(searches_per_minute=1)
    await search(url, "one")
    await search(url, "one")
    with pytest.raises(WebSearchUnavailable, match="retry in"):
        await search(url, "two")


async def test_a_long_question_is_cut_to_what_tavily_takes(start_server: Callable[..., str], tavily: TavilyApi) -> None:
    await search(start_server(), "port " * 200)
    assert len(tavily.queries[0]["query"]) <= 400


@pytest.mark.parametrize("query", ["", "\u200b", "a" * 5000])
async def test_what_is_no_question_is_refused(query: str, start_server: Callable[..., str]) -> None:
    with pytest.raises(WebSearchUnavailable, match="refused"):
        await search(start_server(), query)


@pytest.mark.parametrize(("status", "reason"), [(401, "key"), (429, "too many"), (432, "used up"), (500, "failed")])
async def test_a_refusal_of_tavily_is_told_without_its_words(
    status: int, reason: str, start_server: Callable[..., str], tavily: TavilyApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tavily.status = status
    with pytest.raises(WebSearchUnavailable, match=f"status {status}: .*{reason}") as refusal:
        await search(start_server())
    assert KEY not in str(refusal.value)
    assert KEY not in caplog.text


async def test_without_a_key_the_tool_says_that_it_is_off(start_server: Callable[..., str]) -> None:
    url = start_server(key=None)
    with pytest.raises(WebSearchUnavailable, match="TAVILY_API_KEY is not set"):
        await search(url)
    assert httpx.get(f"{url}/healthz", timeout=60).json() == {"status": "alive", "search": "off"}


async def test_a_slow_search_is_given_up(start_server: Callable[..., str], tavily: TavilyApi) -> None:
    tavily.held = True
    with pytest.raises(WebSearchUnavailable, match="timed out"):
        await search(start_server(), seconds=0.3)


async def test_a_search_that_is_given_up_ends_at_tavily(start_server: Callable[..., str], tavily: TavilyApi) -> None:
    tavily.held = True
    searching = asyncio.create_task(search(start_server()))
    assert await asyncio.to_thread(tavily.arrived.wait, 60)
    searching.cancel()
    assert await asyncio.to_thread(tavily.gone.wait, 60)


async def test_a_server_that_is_away_is_not_waited_for_twice() -> None:
    web = WebSearch(WebSearchServer(url=f"http://127.0.0.1:{free_port()}/mcp"))
    with pytest.raises(WebSearchUnavailable, match="cannot be reached"):
        await web.search("which port?", 3)
    with pytest.raises(WebSearchUnavailable, match="could not be reached just now"):
        await web.search("which port?", 3)
    await web.close()


async def test_a_server_of_something_else_is_unavailable(tavily: TavilyApi) -> None:
    with pytest.raises(WebSearchUnavailable):
        await search(tavily.url)


async def test_searches_at_the_same_time_share_the_connections(
    start_server: Callable[..., str], tavily: TavilyApi
) -> None:
    web = WebSearch(WebSearchServer(url=f"{start_server()}/mcp", seconds=60))
    found = await asyncio.gather(*(web.search(f"question {number}", 1) for number in range(5)))
    await web.close()
    assert [len(results) for results in found] == [1] * 5
    assert len(tavily.queries) == 5


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_any_mcp_client_finds_the_tools(mode: str, start_server: Callable[..., str]) -> None:
    url = start_server()
    async with Client(f"{url}/mcp", mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        found = await client.call_tool("search", {"query": "which port?"})
        refused = await client.call_tool("read_page", {"url": "http://169.254.169.254/latest/meta-data/"})
    assert tools.keys() == {"search", "read_page"}
    assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools.values())
    assert found.structured_content is not None
    assert found.structured_content["results"][0]["text"] == "The service listens on port 8080."
    assert refused.is_error
    assert isinstance(refused.content[0], TextContent)
    assert "not on the public internet" in refused.content[0].text


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.test"}, 421), ({"origin": "https://evil.test"}, 403), ({"content-type": "text/plain"}, 400)],
)
def test_other_sites_cannot_reach_it_through_a_browser(
    headers: dict[str, str], status: int, start_server: Callable[..., str]
) -> None:
    head = {"content-type": "application/json", "accept": "application/json, text/event-stream", **headers}
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
    assert httpx.post(f"{start_server()}/mcp", content=body, headers=head, timeout=60).status_code == status


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_stream_is_opened_for_messages_that_never_come(method: str, start_server: Callable[..., str]) -> None:
    answer = httpx.request(method, f"{start_server()}/mcp", headers={"accept": "text/event-stream"}, timeout=60)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_long_request_is_refused(start_server: Callable[..., str]) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": "a" * 100_000}}
    assert httpx.post(f"{start_server()}/mcp", json=body, timeout=60).status_code == 413
