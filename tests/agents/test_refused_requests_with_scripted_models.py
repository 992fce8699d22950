import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from agents.serving.middleware import BodyLimit
from tests.agents.conftest import Running
from tests.agents.corpus_generation import IDENTITY, build_generation, corpus_chunks


def error_of(response: httpx.Response) -> dict[str, str]:
    return response.json()["error"]


@pytest.mark.parametrize("question", ["", "   \n\t", "\x00", "\u200b\u200d\u202e\ufeff"])
def test_an_empty_question_is_refused(service: Running, question: str) -> None:
    response = service.ask(question)
    assert response.status_code == 422
    assert "empty" in error_of(response)["message"]


def test_a_question_over_the_limit_is_refused_with_both_numbers(service: Running) -> None:
    response = service.ask("é" * 4097)
    assert response.status_code == 413
    assert "8194 bytes; at most 8192" in error_of(response)["message"]


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/chat/completions", "/v1/search"])
def test_a_question_of_a_megabyte_is_refused(service: Running, path: str) -> None:
    response = httpx.post(f"{service.url}{path}", json={"question": "x" * 1_000_000}, timeout=120)
    assert response.status_code == 413
    assert "longer than 262144 bytes" in error_of(response)["message"]


def test_a_megabyte_without_announced_length_is_refused(service: Running) -> None:
    response = httpx.post(f"{service.url}/v1/ask", content=(b"x" * 65536 for _ in range(16)), timeout=120)
    assert response.status_code == 413


def test_a_body_that_is_not_utf_8_is_refused(service: Running) -> None:
    body = '{"question": "Wie läuft es?"}'.encode("latin-1")
    response = httpx.post(
        f"{service.url}/v1/ask", content=body, headers={"content-type": "application/json"}, timeout=60
    )
    assert response.status_code == 400
    assert "not UTF-8" in error_of(response)["message"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"question": "x", "temperature": 1}', "temperature"),
        ('{"question": 7}', "question"),
        ("{}", "question"),
        ("[1]", "body"),
        ('{"question": ', "JSON"),
        ('{"question": "\\ud800"}', "surrogate"),
        ('{"question": "x", "filters": {"sources": ["\\ud800"]}}', "filters.sources.0"),
        (json.dumps({"question": "x", "filters": {"sources": ["s"] * 101}}), "at most 100 items"),
        (json.dumps({"question": "x", "filters": {"sources": ["s" * 2049]}}), "at most 2048 characters"),
    ],
)
def test_a_wrong_body_is_refused_and_names_what_is_wrong(service: Running, body: str, named: str) -> None:
    response = httpx.post(
        f"{service.url}/v1/ask", content=body, headers={"content-type": "application/json"}, timeout=60
    )
    assert response.status_code == 422
    assert named in error_of(response)["message"]


@pytest.mark.parametrize("body", ["[" * 100_000, '{"question":' + "[" * 50_000 + "]" * 50_000 + "}", "9" * 5000])
def test_a_body_that_no_parser_takes_is_refused(service: Running, body: str) -> None:
    response = httpx.post(
        f"{service.url}/v1/ask", content=body, headers={"content-type": "application/json"}, timeout=60
    )
    assert response.status_code in {400, 422}, response.text


def test_a_body_that_is_announced_and_never_comes_is_refused(service: Running) -> None:
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n\r\n{}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_comes_too_slowly_is_refused() -> None:
    sent: list[Message] = []

    async def never() -> Message:
        return await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message)

    async def unreached(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the request was not refused")

    scope: Scope = {"type": "http", "method": "POST", "path": "/v1/ask", "headers": []}
    await BodyLimit(unreached, 1000, body_seconds=0.01)(scope, never, send)
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    "question", ["." * 8000, "`. " * 2600, "A.B " * 2000, "? " * 4000, "\n1)" * 2600, "n't " * 2000]
)
def test_no_question_keeps_the_others_waiting(service: Running, question: str) -> None:
    service.gateway.reply = "The agent service listens on port 8080."
    assert service.ask(question).status_code == 200


@pytest.mark.parametrize(
    "path", ["%2e%2e/settings.py", "..%2f..%2fpyproject.toml", "app.js%00.txt", "%ff", "a" * 5000, ""]
)
def test_only_what_belongs_to_the_page_is_served(service: Running, path: str) -> None:
    assert httpx.get(f"{service.url}/page/{path}", timeout=60).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("uri=file:///etc/passwd", 404),
        ("uri=x&generation=../x", 404),
        ("uri=x&generation=..", 404),
        ("uri=x&generation=%00", 404),
        ("uri=%00'%20OR%20'1'='1", 404),
        (f"uri=x&generation={'g' * 4000}", 422),
        (f"uri={'u' * 4000}", 422),
        ("", 422),
    ],
)
def test_a_document_that_is_none_is_refused(service: Running, query: str, status: int) -> None:
    response = httpx.get(f"{service.url}/v1/documents?{query}", timeout=60)
    assert response.status_code == status
    assert str(service.store) not in response.text


def test_an_unknown_path_and_a_wrong_method_are_json_errors(service: Running) -> None:
    assert error_of(httpx.get(f"{service.url}/v1/nothing", timeout=60))["code"] == "http_error"
    assert httpx.get(f"{service.url}/v1/ask", timeout=60).status_code == 405


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/search", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_gateway_that_is_down_is_503_and_comes_back_without_restart(
    service: Running, path: str, stream: bool
) -> None:
    bodies = {
        "/v1/ask": {"question": "What does make down stop?"},
        "/v1/search": {"query": "make down"},
        "/v1/chat/completions": {
            "model": "agentic-eks",
            "messages": [{"role": "user", "content": "What does make down stop?"}],
            "stream": stream,
        },
    }
    headers = {"accept": "text/event-stream"} if stream else {}
    service.gateway.stop()
    response = httpx.post(f"{service.url}{path}", json=bodies[path], headers=headers, timeout=120)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert "cannot be reached" in error_of(response)["message"]
    checks = service.wait_until_ready(False).json()["checks"]
    assert not checks["embedding"]["ok"]
    service.gateway.start()
    service.wait_until_ready()
    assert httpx.post(f"{service.url}{path}", json=bodies[path], timeout=120).status_code == 200


def test_what_the_gateway_says_of_keys_is_not_passed_on(service: Running) -> None:
    service.gateway.embedding_status = 401
    response = service.ask("What does make down stop?")
    assert response.status_code == 503
    assert "sk-" not in response.text
    assert "401" in error_of(response)["message"]


def test_without_a_generation_it_is_503_and_ready_once_there_is_one(start_service: Callable[..., Running]) -> None:
    service = start_service(empty=True)
    response = service.ask("What does make down stop?")
    assert response.status_code == 503
    assert error_of(response)["code"] == "no_generation"
    readiness = service.wait_until_ready(False).json()
    assert "no generation" in readiness["checks"]["knowledge"]["reason"]
    build_generation(service.store, "g1", corpus_chunks())
    assert service.wait_until_ready().json()["generation"] == "g1"
    assert service.ask("What does make down stop?").status_code == 200


def test_a_generation_of_another_embedding_model_is_refused(start_service: Callable[..., Running]) -> None:
    service = start_service(empty=True)
    other = IDENTITY.model_copy(update={"fingerprint": "e" * 64})
    build_generation(service.store, "g1", corpus_chunks(), other)
    response = service.ask("What does make down stop?")
    assert response.status_code == 503
    assert error_of(response)["code"] == "embedding_mismatch"


def test_only_what_is_missing_is_named(service: Running) -> None:
    service.gateway.embedding_status = 500
    checks = service.wait_until_ready(False).json()["checks"]
    assert {name for name, check in checks.items() if not check["ok"]} == {"embedding"}


def test_the_service_serves_the_settings_file(tmp_path: Path) -> None:
    from agents.settings import load_settings
    from agents.settings_file import InvalidSettings
    from tests.agents.conftest import KEY_VARIABLE, service_settings

    settings = service_settings("http://127.0.0.1:1/v1", tmp_path)
    file = tmp_path / "settings.json"
    file.write_text(settings.model_dump_json())
    environ = {"AGENTS_SETTINGS": str(file), KEY_VARIABLE: "sk-test"}
    assert load_settings(environ) == settings
    with pytest.raises(InvalidSettings, match=KEY_VARIABLE):
        load_settings({"AGENTS_SETTINGS": str(file)})
    file.write_text(json.dumps({**settings.model_dump(mode="json"), "colour": "red"}))
    with pytest.raises(InvalidSettings, match="colour"):
        load_settings(environ)
    with pytest.raises(InvalidSettings, match="AGENTS_SETTINGS"):
        load_settings({})
