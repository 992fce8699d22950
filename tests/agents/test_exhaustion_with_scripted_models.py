"""What tries to use the service up: it stays there for others, as the process that the platform runs."""

import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import httpx
import pytest
import stamina

from agents.serving.connections import HEADER_SECONDS
from tests.agents.conftest import Running
from tests.agents.scripted_gateway import ScriptedGateway
from tests.agents.service_process import running_process

SENTENCE = "`make down` stops every process that `make up` started."
CONNECTIONS = 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    gateway = ScriptedGateway(reply=SENTENCE)
    gateway.start()
    try:
        load = {"answers": 4, "waiting": 8, "wait_seconds": 30.0, "connections": CONNECTIONS}
        directory = tmp_path_factory.mktemp("process")
        with running_process(directory, gateway, {"load": load}) as (_, running):
            yield running
    finally:
        gateway.stop()


def address(service: Running) -> tuple[str, int]:
    host, port = service.url.removeprefix("http://").split(":")
    return host, int(port)


def test_a_thousand_connections_that_never_finish_are_closed(served: Running) -> None:
    """More than there may be, each with half of a head: others are refused for a while, and then served again."""
    opened: list[socket.socket] = []
    try:
        for _ in range(1000):
            connection = socket.create_connection(address(served), timeout=60)
            opened.append(connection)
            connection.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: x\r\n")
        for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.5):
            with attempt:
                assert httpx.get(f"{served.url}/healthz", timeout=60).status_code == 200
        for connection in opened:
            connection.settimeout(60 + HEADER_SECONDS)
            assert connection_ends(connection)
    finally:
        for connection in opened:
            connection.close()
    assert served.ask("What does make down stop?").status_code == 200


@pytest.mark.parametrize(
    ("headers", "stray"), [({}, b"\r\n"), ({"Content-Length": "10"}, b"x")], ids=["a line end", "a part of a body"]
)
def test_bytes_that_begin_no_request_hold_no_connection(headers: dict[str, str], stray: bytes, served: Running) -> None:
    """All places are taken by connections that were answered, and on which something came that is no request."""
    opened = [HTTPConnection(*address(served), timeout=60 + HEADER_SECONDS) for _ in range(CONNECTIONS - 1)]
    try:
        for connection in opened:
            connection.request("GET", "/healthz", headers=headers)
            with connection.getresponse() as response:
                assert (response.status, response.read() != b"") == (200, True)
        assert httpx.get(f"{served.url}/healthz", timeout=60).status_code == 503
        for connection in opened:
            connection.sock.sendall(stray)
        for connection in opened:
            assert connection_ends(connection.sock)
        assert httpx.get(f"{served.url}/healthz", timeout=60).status_code == 200
    finally:
        for connection in opened:
            connection.close()


def connection_ends(connection: socket.socket) -> bool:
    try:
        return connection.recv(1024) == b""
    except ConnectionResetError:
        return True


def test_ten_thousand_messages_are_answered_or_refused_at_once(served: Running) -> None:
    messages = [{"role": "user", "content": "What does make down stop?"}] * 10_000
    response = httpx.post(
        f"{served.url}/v1/chat/completions", json={"model": "agentic-eks", "messages": messages}, timeout=60
    )
    assert response.status_code == 413
    few = {"model": "agentic-eks", "messages": messages[:1000]}
    assert httpx.post(f"{served.url}/v1/chat/completions", json=few, timeout=60).status_code == 200


def test_slow_readers_take_no_place_from_others(served: Running) -> None:
    """Streams that nobody reads: what they hold fits into buffers, so their places become free."""
    body = b'{"question": "What does make down stop?"}'
    head = (
        b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    readers = [socket.create_connection(address(served), timeout=60) for _ in range(8)]
    try:
        for reader in readers:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            reader.sendall(head + body)
        for attempt in stamina.retry_context(on=AssertionError, timeout=60, attempts=None, wait_max=0.2):
            with attempt:
                assert served.ask("What does make down stop?").status_code == 200
    finally:
        for reader in readers:
            reader.close()
