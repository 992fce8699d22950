"""Requests to a domain of AWS, as they reach a scripted server that stands in for it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agents.knowledge.store import StoreUnavailable
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import OpenSearchSettings


@dataclass
class Domain:
    address: str = ""
    signatures: list[str | None] = field(default_factory=list[str | None])


@pytest.fixture
def domain() -> Iterator[Domain]:
    """A server without generations, which keeps the signatures of its requests."""
    held = Domain()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.signatures.append(self.headers["Authorization"])
            content = json.dumps({"error": "alias missing", "status": 404}).encode()
            self.send_response(404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    held.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


def serving(address: str, region: str | None) -> None:
    store = open_store(OpenSearchSettings(address, "dev", 1, 0, region))
    try:
        assert store.serving() is None
    finally:
        store.close()


def test_requests_to_a_domain_are_signed_for_its_region(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    serving(domain.address, "eu-west-1")

    (signature,) = domain.signatures
    assert signature is not None
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/es/aws4_request" in signature


def test_requests_to_a_server_of_ones_own_are_not_signed(domain: Domain) -> None:
    serving(domain.address, None)

    assert domain.signatures == [None]


def test_without_credentials_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")

    with pytest.raises(StoreUnavailable, match=r"no AWS credentials: give the process a role"):
        serving("https://search.example", "eu-west-1")
