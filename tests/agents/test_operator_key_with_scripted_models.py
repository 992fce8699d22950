"""The operator's key: what it opens, how it is renewed while the service runs, and when it cannot be read."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.agents.conftest import Running, running_service
from tests.agents.signed_in import Headers, access, bearer

ASKED = {"question": "What does make down stop?"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets") / "AGENTS_GATE_KEY"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, key_file: Path) -> Iterator[Running]:
    """A service whose callers sign in, and which has an operator."""
    directory = tmp_path_factory.mktemp("operated")
    settings = access(directory / "state.db", operator_key_file=str(key_file))
    with running_service(directory, access=settings) as running:
        running.gateway.reply = "`make down` stops every process that `make up` started."
        running.wait_until_ready()
        yield running


@pytest.fixture
def key(key_file: Path) -> str:
    """A new key, in the file."""
    key = secrets.token_urlsafe(32)
    key_file.write_text(f"{key}\n")
    return key


def post(service: Running, path: str, headers: Headers, body: object) -> httpx.Response:
    return httpx.post(f"{service.url}{path}", headers=headers, json=body, timeout=60)


def test_it_opens_answers_and_passages(service: Running, key: str) -> None:
    answered = post(service, "/v1/ask", bearer(key), ASKED)
    assert answered.status_code == 200
    assert answered.json()["citations"]
    assert post(service, "/v1/search", bearer(key), {"query": "make down"}).status_code == 200


def test_it_opens_nothing_else(service: Running, key: str) -> None:
    rating = {"trace_id": "0" * 32, "rating": "up"}
    rated = post(service, "/v1/feedback", bearer(key), rating)
    assert rated.status_code == 403
    assert rated.json()["error"]["message"].startswith("'operator' lacks the scope 'feedback'")
    assert httpx.get(f"{service.url}/openapi.json", headers=bearer(key), timeout=60).status_code == 403


def test_a_renewed_key_counts_from_the_next_request_on(service: Running, key: str, key_file: Path) -> None:
    key_file.write_text(renewed := secrets.token_urlsafe(32))
    assert httpx.get(f"{service.url}/v1/models", headers=bearer(renewed), timeout=60).status_code == 200
    assert httpx.get(f"{service.url}/v1/models", headers=bearer(key), timeout=60).status_code == 401


def test_what_is_nearly_the_key_is_refused(service: Running, key: str) -> None:
    for nearly in (key[:-1], f"{key}A", key.swapcase()):
        assert httpx.get(f"{service.url}/v1/models", headers=bearer(nearly), timeout=60).status_code == 401


@pytest.mark.parametrize("kept", [None, "", "too-short"])
def test_nobody_is_let_in_while_it_is_not_to_be_read(service: Running, key_file: Path, kept: str | None) -> None:
    key_file.unlink(missing_ok=True)
    if kept is not None:
        key_file.write_text(kept)
    response = httpx.get(f"{service.url}/v1/models", headers=bearer(kept or "anything"), timeout=60)
    assert response.status_code == 503
    assert "the operator's key" in response.json()["error"]["message"]
