"""Pages of other sites reach for the service through a browser, by a name that has become the loopback address."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from agents.access.own_names import OwnNames
from tests.agents.conftest import Running
from tests.agents.signed_in import access
from tests.agents.test_ask_with_scripted_models import GROUNDED

QUESTION = "What does make down stop?"
EVIL = "evil.example"


def status(service: Running, name: str, method: str, path: str, body: dict[str, str] | None = None) -> int:
    port = service.url.rpartition(":")[2]
    headers = {"host": f"{name}:{port}", "origin": f"http://{name}:{port}"}
    return httpx.request(method, f"{service.url}{path}", json=body, headers=headers, timeout=60).status_code


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/conversations", None),
        ("GET", "/v1/documents?uri=file:///corpus/commands.md", None),
        ("GET", "/v1/models", None),
        ("POST", "/v1/search", {"query": QUESTION}),
        ("POST", "/v1/ask", {"question": QUESTION}),
    ],
)
def test_where_nobody_signs_in_they_get_nothing(
    method: str, path: str, body: dict[str, str] | None, start_service: Callable[..., Running], tmp_path: Path
) -> None:
    service = start_service(access={"state": {"engine": "sqlite", "path": str(tmp_path / "state.db")}})
    service.gateway.reply = GROUNDED
    service.wait_until_ready()
    assert status(service, EVIL, method, path, body) == 421
    assert [status(service, name, method, path, body) for name in ("localhost", "127.0.0.1", "[::1]")] == [200] * 3


def test_what_is_open_to_everybody_stays_open(service: Running) -> None:
    assert [status(service, EVIL, "GET", path) for path in ("/healthz", "/readyz", "/metrics", "/")] == [200] * 4


def test_where_callers_sign_in_the_key_alone_counts(start_service: Callable[..., Running], tmp_path: Path) -> None:
    service = start_service(access=access(tmp_path / "state.db"))
    assert status(service, EVIL, "GET", "/v1/conversations") == 401


@pytest.mark.parametrize(
    ("server", "host", "expected"),
    [
        (("127.0.0.1", 8080), None, 421),
        (("127.0.0.1", 8080), "assistant.lan:8080", 200),
        (("127.0.0.1", 8080), "localhost", 200),
        (("::1", 8080), EVIL, 421),
        (("::ffff:127.0.0.1", 8080), EVIL, 421),
        (("192.168.1.5", 8080), "laptop.lan:8080", 200),
        (("/run/agents.sock", None), EVIL, 200),
        (None, EVIL, 200),
    ],
)
async def test_only_the_loopback_address_asks_for_the_name(server: Any, host: str | None, expected: int) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [] if host is None else [(b"host", host.encode())]
    scope = {"type": "http", "method": "GET", "path": "/v1/conversations", "headers": headers, "server": server}
    await OwnNames(PlainTextResponse("reached"), ["assistant.lan:*"])(scope, receive, send)
    assert sent[0]["status"] == expected
