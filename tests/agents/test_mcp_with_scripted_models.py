"""The assistant's tools, asked by the official MCP client; the models alone are scripted."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
import stamina
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from agents.caller import Scope
from tests.agents.conftest import Running
from tests.agents.signed_in import Doorkeeper, Headers, access
from tests.agents.test_ask_with_scripted_models import GROUNDED

QUESTION = "What does make down stop?"


async def call(
    service: Running, tool: str, mode: str = "auto", headers: Headers | None = None, **arguments: Any
) -> CallToolResult:
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{service.url}/mcp", http_client=http), mode=mode) as client,
    ):
        return await client.call_tool(tool, arguments)


def text(result: CallToolResult) -> str:
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_question_is_answered_with_citations(mode: str, service: Running) -> None:
    service.gateway.reply = GROUNDED
    result = await call(service, "ask", mode, question=QUESTION)
    assert not result.is_error
    assert text(result).startswith("`make down` stops every process that `make up` started. [1]")
    assert "\n[1] Commands of the platform > Stopping (commands.md)" in text(result)
    assert result.structured_content is not None
    assert result.structured_content["citations"][0]["quote"].startswith("`make down` stops every process")
    assert len(result.structured_content["trace_id"]) == 32


async def test_passages_are_found(service: Running) -> None:
    result = await call(service, "search", query=QUESTION, limit=2)
    assert result.structured_content is not None
    assert len(result.structured_content["passages"]) == 2
    assert "make down" in result.structured_content["passages"][0]["chunk"]["text"]


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("ask", {"question": "\u200b"}, "is empty"),
        ("ask", {"question": "a" * 9000}, "at most 8192"),
        ("ask", {}, "question"),
        ("search", {"query": ""}, "is empty"),
        ("search", {"query": QUESTION, "limit": 51}, "limit"),
        ("delete", {}, "delete"),
    ],
)
async def test_the_limits_of_the_other_routes_hold(
    tool: str, arguments: dict[str, Any], reason: str, service: Running
) -> None:
    result = await call(service, tool, **arguments)
    assert result.is_error
    assert reason in text(result)


@pytest.mark.parametrize(("scope", "other"), [("ask", "search"), ("search", "ask")])
def test_a_scope_opens_its_tool_and_no_other(
    scope: Scope, other: str, start_service: Callable[..., Running], tmp_path: Path
) -> None:
    service = start_service(access=access(tmp_path / "state.db"))
    service.wait_until_ready()
    service.gateway.reply = GROUNDED
    headers = Doorkeeper(tmp_path / "state.db").headers("team", (scope,))
    arguments = {"ask": {"question": QUESTION}, "search": {"query": QUESTION}}
    allowed = asyncio.run(call(service, scope, headers=headers, **arguments[scope]))
    assert not allowed.is_error
    refused = asyncio.run(call(service, other, headers=headers, **arguments[other]))
    assert refused.is_error
    assert f"'key:team' lacks the scope {other!r}" in text(refused)


async def test_what_is_missing_is_told(start_service: Callable[..., Running]) -> None:
    result = await call(start_service(empty=True), "ask", question=QUESTION)
    assert result.is_error
    assert "no generation" in text(result)


async def test_a_client_that_goes_away_stops_the_model(service: Running) -> None:
    service.gateway.reply = GROUNDED
    service.gateway.held_after = 14
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(call, service, "ask", question=QUESTION))
        async for attempt in stamina.retry_context(on=AssertionError, timeout=60, attempts=None, wait_max=0.1):
            with attempt:
                assert service.gateway.prompts
        tasks.cancel_scope.cancel()
    assert service.gateway.cancelled.wait(60)


def post(service: Running, body: bytes, **headers: str) -> httpx.Response:
    head = {"content-type": "application/json", "accept": "application/json, text/event-stream", **headers}
    return httpx.post(f"{service.url}/mcp", content=body, headers=head, timeout=60)


def test_it_passes_through_what_every_request_passes_through(service: Running) -> None:
    too_long = post(service, b" " * 300_000)
    assert (too_long.status_code, too_long.json()["error"]["code"]) == (413, "too_large")
    assert post(service, b"\xff").status_code == 400
    answer = post(service, b"{}")
    assert answer.headers["x-frame-options"] == "DENY"
    assert len(answer.headers["x-trace-id"]) == 32
    assert 'route="/mcp"' in httpx.get(f"{service.url}/metrics", timeout=60).text


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_stream_is_opened_for_messages_that_never_come(method: str, service: Running) -> None:
    answer = httpx.request(method, f"{service.url}/mcp", headers={"accept": "text/event-stream"}, timeout=60)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(("headers", "status"), [({"host": "evil.test"}, 421), ({"origin": "https://evil.test"}, 403)])
def test_other_sites_cannot_reach_it_through_a_browser(headers: dict[str, str], status: int, service: Running) -> None:
    assert post(service, b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}', **headers).status_code == status
