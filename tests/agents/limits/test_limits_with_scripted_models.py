"""How much a caller may use, over replicas and while what they share is away; how much the service takes at once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from agents.token_estimate import estimate_tokens
from tests.agents.conftest import Running, running_service
from tests.agents.signed_in import Doorkeeper, Headers, access
from tests.agents.test_mcp_with_scripted_models import call, text
from tests.ports import free_port
from tests.valkey import running_valkey

QUESTION = {"question": "What does make down stop?"}
HELD = "`make down` stops every process that `make up` started."


def valkey_at(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "tls": False}


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[Callable[..., list[Running]]]:
    """Starts two services that share their state, with the settings that are given."""
    with ExitStack() as stack:

        def start(**more: Any) -> list[Running]:
            started: list[Running] = []
            for name in ("one", "other"):
                settings = access(tmp_path / "state.db", **more)
                started.append(stack.enter_context(running_service(tmp_path / name, access=settings)))
            return started

        yield start


def listed(service: Running, headers: Headers) -> httpx.Response:
    return httpx.get(f"{service.url}/v1/models", headers=headers, timeout=60)


def lesser_check(service: Running, ok: bool) -> dict[str, Any]:
    """Wait until the shared counts are well, or are not."""
    for attempt in stamina.retry_context(on=AssertionError, timeout=60, attempts=None, wait_max=0.2):
        with attempt:
            check = httpx.get(f"{service.url}/readyz", timeout=60).json()["lesser_checks"]["shared_limits"]
            assert check["ok"] is ok, check
            return check
    raise AssertionError("unreachable")


@pytest.mark.valkey
def test_a_rate_holds_across_replicas(
    replicas: Callable[..., list[Running]], valkey_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # One request in ten minutes after the first six: a slow machine does not change the count.
    slow = {"requests_per_minute": 1, "burst": 6}
    services = replicas(allowance=slow, valkey=valkey_at(valkey_port))
    doorkeeper = Doorkeeper(tmp_path / "state.db")
    answers: list[httpx.Response] = []
    for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=1):
        with attempt:
            caplog.clear()
            busy = f"busy-{attempt.num}"
            headers = doorkeeper.headers(busy), doorkeeper.headers(busy)
            for service in services:
                lesser_check(service, ok=True)
            with ThreadPoolExecutor(8) as threads:
                asked = [threads.submit(listed, services[i % 2], headers[i // 2 % 2]) for i in range(16)]
            answers = [future.result() for future in asked]
            # No request waits long for Valkey: on a busy machine one may have gone on without it.
            assert "this replica counts requests for itself" not in caplog.text
    assert [answer.status_code for answer in answers].count(200) in {6, 7}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    # Another caller is not held up by that.
    assert listed(services[0], doorkeeper.headers("calm")).status_code == 200
    assert httpx.get(f"{services[0].url}/healthz", timeout=60).status_code == 200


@pytest.mark.valkey
def test_without_valkey_each_replica_counts_for_itself(replicas: Callable[..., list[Running]], tmp_path: Path) -> None:
    port = free_port()
    with running_valkey(port):
        services = replicas(allowance={"requests_per_minute": 1, "burst": 2}, valkey=valkey_at(port))
        for service in services:
            service.wait_until_ready()
            lesser_check(service, ok=True)
    for service in services:
        check = lesser_check(service, ok=False)
        assert "each replica counts requests for itself" in check["reason"]
        service.wait_until_ready()
        headers = Doorkeeper(tmp_path / "state.db").headers("busy")
        assert [listed(service, headers).status_code for _ in range(3)] == [200, 200, 429]


def test_tokens_are_given_away_once_over_replicas(replicas: Callable[..., list[Running]], tmp_path: Path) -> None:
    # An answer reserves the model's whole context, 2048 tokens, and gives back what it did not use.
    services = replicas(allowance={"tokens_per_day": 3000})
    headers = Doorkeeper(tmp_path / "state.db").headers("thrifty")
    statuses: list[int] = []
    for turn in range(40):
        service = services[turn % 2]
        service.gateway.reply = HELD
        answer = httpx.post(f"{service.url}/v1/ask", json=QUESTION, headers=headers, timeout=60)
        statuses.append(answer.status_code)
        if answer.status_code == 429:
            assert answer.json()["error"]["code"] == "allowance_spent"
            assert 1 <= int(answer.headers["retry-after"]) <= 24 * 3600 + 1
            break
    assert statuses[0] == 200
    assert statuses[-1] == 429
    other = Doorkeeper(tmp_path / "state.db").headers("another")
    assert httpx.post(f"{services[0].url}/v1/ask", json=QUESTION, headers=other, timeout=60).status_code == 200


def test_who_has_used_up_a_day_by_searching_is_refused(start_service: Callable[..., Running], tmp_path: Path) -> None:
    query = "Which port does the agent service listen on?"
    state = {"engine": "sqlite", "path": str(tmp_path / "state.db")}
    allowance = {"tokens_per_day": 2 * estimate_tokens(query)}
    service = start_service(access={"state": state, "allowance": allowance})
    service.wait_until_ready()
    asked = [httpx.post(f"{service.url}/v1/search", json={"query": query}, timeout=60) for _ in range(3)]
    assert [answer.status_code for answer in asked] == [200, 200, 429]
    assert asked[-1].json()["error"]["code"] == "allowance_spent"
    assert 1 <= int(asked[-1].headers["retry-after"]) <= 24 * 3600 + 1
    assert service.gateway.questions.count(query) == 2
    told = asyncio.run(call(service, "search", query=query))
    assert told.is_error
    assert "too little left" in text(told)


def test_what_is_too_much_waits_and_then_is_refused(start_service: Callable[..., Running]) -> None:
    load = {"answers": 1, "waiting": 1, "wait_seconds": 60.0}
    service = start_service(access={"load": load}, answer_seconds=300)
    service.wait_until_ready()
    service.gateway.reply, service.gateway.held_after = HELD, 2
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(service.ask, QUESTION["question"]) for _ in range(8)]
        refused = _wait_for_refusals(asked, 6)
        service.gateway.hold.set()
        answered = [future.result() for future in asked if future not in refused]
    assert [answer.status_code for answer in answered] == [200, 200]
    for future in refused:
        answer = future.result()
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) == 60
        assert answer.json()["error"] == {
            "message": "the queue is full (1 waiting); ask again later",
            "type": "invalid_request_error",
            "param": None,
            "code": "overloaded",
        }
    assert service.ask(QUESTION["question"]).status_code == 200


def test_who_waits_too_long_is_refused(start_service: Callable[..., Running]) -> None:
    service = start_service(access={"load": {"answers": 1, "waiting": 4, "wait_seconds": 0.2}}, answer_seconds=300)
    service.wait_until_ready()
    service.gateway.reply, service.gateway.held_after = HELD, 2
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(service.ask, QUESTION["question"]) for _ in range(2)]
        (refused,) = _wait_for_refusals(asked, 1)
        service.gateway.hold.set()
    assert "no place became free within 0.2 s" in refused.result().json()["error"]["message"]
    assert sorted(future.result().status_code for future in asked) == [200, 429]


def test_a_client_that_goes_away_gives_its_place_back(start_service: Callable[..., Running]) -> None:
    service = start_service(access={"load": {"answers": 1, "waiting": 0, "wait_seconds": 1.0}}, answer_seconds=300)
    service.wait_until_ready()
    service.gateway.reply, service.gateway.held_after = HELD, 2
    with httpx.stream(
        "POST", f"{service.url}/v1/ask", json=QUESTION, headers={"accept": "text/event-stream"}, timeout=60
    ) as response:
        lines = response.iter_lines()
        next(lines)
        assert service.ask(QUESTION["question"]).status_code == 429
    service.gateway.hold.set()
    for attempt in stamina.retry_context(on=AssertionError, timeout=60, attempts=None, wait_max=0.2):
        with attempt:
            assert service.ask(QUESTION["question"]).status_code == 200


def _wait_for_refusals(asked: list[Any], wanted: int) -> list[Any]:
    enough = threading.Event()
    done: list[Any] = []

    def count(future: Any) -> None:
        done.append(future)
        if len(done) >= wanted:
            enough.set()

    for future in asked:
        future.add_done_callback(count)
    assert enough.wait(120), f"only {len(done)} of {wanted} were refused"
    return done[:wanted]
