"""Each dependency goes away while somebody talks to the service; what docs/answers.md says is what happens."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from agents.orchestrator import DO_NOT_KNOW, NOBODY_KNOWS
from agents.web_search.client import NO_KEY
from tests.agents.talking import Talk, talk, web_route, web_search
from tests.agents.web_search.tavily_api import page

STOP = "What does make down stop?"
WHO = "Who won the football championship in Brazil?"
GROUNDED = "`make down` stops every process that `make up` started."
WEB_PAGE = "On the web they say that `make down` stops every process that `make up` started."


@pytest.fixture
def talking(tmp_path: Path) -> Generator[Talk]:
    with talk(tmp_path) as running:
        running.gateway.reply = GROUNDED
        running.tavily.results = [page(WEB_PAGE)]
        yield running


def answered_again(talking: Talk) -> dict[str, Any]:
    for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.2):
        with attempt:
            answer = talking.ask(STOP)
            assert (answer["kind"], answer["notes"]) == ("answered", [])
            return answer
    raise AssertionError("unreachable")


def test_gateway_away_is_503_with_the_time_to_wait_and_mends_itself(talking: Talk) -> None:
    assert talking.ask(STOP)["kind"] == "answered"
    talking.gateway.stop()
    for _ in range(7):  # more often than it takes for the circuit to open
        refused = talking.running.ask(STOP)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "cannot be reached" in refused.json()["error"]["message"]
    talking.gateway.start()
    answered_again(talking)


def test_embedding_model_alone_away_is_503_and_mends_itself(talking: Talk) -> None:
    assert talking.ask(STOP)["kind"] == "answered"
    talking.gateway.embedding_status = 503
    refused = talking.running.ask(STOP)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    checks = talking.running.wait_until_ready(False).json()["checks"]
    assert (checks["embedding"]["ok"], checks["knowledge"]["ok"]) == (False, True)
    talking.gateway.embedding_status = 200
    talking.running.wait_until_ready()
    answered_again(talking)


def test_an_embedding_model_that_hangs_costs_no_more_than_the_time_of_an_answer(tmp_path: Path) -> None:
    with talk(tmp_path, web=False, answer_seconds=4) as talking:
        talking.gateway.embeds = False
        refused = talking.running.ask(STOP)
        assert refused.status_code == 503
        assert refused.json()["error"]["message"] == "the question was not embedded and searched within 4 s"
        talking.gateway.embeds = True
        talking.running.wait_until_ready()


def test_a_model_that_dies_while_it_writes_leaves_quotes(talking: Talk) -> None:
    talking.gateway.chat_status = 500
    answer = talking.ask(STOP)
    assert answer["kind"] == "quoted"
    assert answer["notes"][0].startswith("the reasoning model failed: model 'chat'")
    talking.gateway.chat_status = 200
    answered_again(talking)


def test_store_away_leaves_the_web_and_mends_itself(talking: Talk) -> None:
    assert talking.ask(STOP)["kind"] == "answered"
    store, elsewhere = talking.running.store, talking.running.store.with_name("elsewhere")
    store.rename(elsewhere)
    talking.running.wait_until_ready(False)
    answer = talking.ask(STOP)
    assert answer["route"][:2] == ["verify", "search_web"]
    assert {citation["origin"] for citation in answer["citations"]} == {"web"}
    assert answer["notes"][0].startswith("the knowledge base could not be asked: ")
    assert (answer["freshness"], answer["generation"]) == (None, "")
    elsewhere.rename(store)
    answered_again(talking)


def test_store_and_web_away_is_503(talking: Talk) -> None:
    talking.running.store.rename(talking.running.store.with_name("elsewhere"))
    talking.running.wait_until_ready(False)
    talking.web.stop()
    refused = talking.running.ask(STOP)
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "no_generation"


def test_store_away_and_nothing_on_the_web_that_fits_is_503(talking: Talk) -> None:
    talking.tavily.results = [page("Bread is baked from flour, water and salt.")]
    talking.running.store.rename(talking.running.store.with_name("elsewhere"))
    talking.running.wait_until_ready(False)
    for headers in ({}, {"accept": "text/event-stream"}):
        url, body = f"{talking.running.url}/v1/ask", {"question": STOP}
        refused = httpx.post(url, json=body, headers=headers, timeout=60)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_generation")
    assert talking.tavily.queries


def test_web_search_away_leaves_the_knowledge_base_and_is_asked_again_when_it_is_back(talking: Talk) -> None:
    web_route(talking, on=True)
    talking.web.stop()
    web_route(talking, on=False, reason="does not answer (ConnectError)")
    talking.running.wait_until_ready()  # answers do not depend on it
    assert talking.ask(STOP)["notes"] == []
    answer = talking.ask(WHO)
    assert (answer["kind"], answer["answer"]) == ("abstained", DO_NOT_KNOW)
    assert answer["notes"][0].startswith("the web could not be searched: ")
    back = web_search(talking.web.port, talking.tavily)
    back.start()
    try:
        for attempt in stamina.retry_context(on=AssertionError, timeout=90, attempts=None, wait_max=0.5):
            with attempt:
                again = talking.ask(WHO)
                assert (again["answer"], again["notes"]) == (NOBODY_KNOWS, [])
    finally:
        back.stop()


def test_a_web_search_server_without_a_key_is_not_asked_and_says_so(talking: Talk) -> None:
    talking.web.stop()
    keyless = web_search(talking.web.port, talking.tavily, key=None)
    keyless.start()
    try:
        assert web_route(talking, on=False, reason="no API key")["reason"] == NO_KEY
        answer = talking.ask(WHO)
        assert answer["notes"] == [f"the web was not searched: {NO_KEY}"]
        assert "search_web" not in answer["route"]
    finally:
        keyless.stop()


def test_tavily_refusing_leaves_the_knowledge_base_until_it_answers_again(talking: Talk) -> None:
    talking.tavily.status = 500
    answer = talking.ask(WHO)
    assert (answer["kind"], answer["answer"]) == ("abstained", DO_NOT_KNOW)
    assert answer["notes"][0].startswith("the web could not be searched: ")
    web_route(talking, on=False, reason="answered with status 500: the search failed")
    talking.running.wait_until_ready()  # answers do not depend on it
    talking.tavily.status = 200
    assert talking.ask(WHO)["notes"] == []
    web_route(talking, on=True)


def test_prefect_away_leaves_the_generation_that_is_there(tmp_path: Path) -> None:
    # The generation of these tests was made in the first minute of 2026.
    refresh = {"api_url": "http://127.0.0.1:9/api", "deployment": "knowledge/local"}
    settings = {"freshness": {"objective_hours": 1.0, "window_minutes": 60.0, "refresh": refresh}}
    with talk(tmp_path, settings=settings) as talking:
        talking.gateway.reply = GROUNDED
        notes = _notes_until(talking, "could not be asked for: Prefect at 'http://127.0.0.1:9/api/' does not answer")
        assert "nobody has looked at its sources since" in notes[0]
        answer = talking.ask(STOP)
        assert answer["kind"] == "answered"
        assert answer["freshness"]["stale"]


def test_a_stale_generation_goes_on_answering_and_says_how_old_it_is(tmp_path: Path) -> None:
    with talk(tmp_path) as talking:
        refresh = {"api_url": talking.prefect.url, "deployment": "knowledge/local"}
        settings = {"freshness": {"objective_hours": 1.0, "window_minutes": 60.0, "refresh": refresh}}
        with talk(tmp_path / "stale", settings=settings) as stale:
            stale.gateway.reply = GROUNDED
            _notes_until(stale, "a refresh was asked for")
            for _ in range(3):
                answer = stale.ask(STOP)
                assert answer["kind"] == "answered"
                assert answer["freshness"]["as_of"] == "2026-01-01T00:00:00Z"
    assert len(talking.prefect.keys) == 1
    assert talking.prefect.keys[0].startswith("local-")


def _notes_until(talking: Talk, wanted: str) -> list[str]:
    for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.2):
        with attempt:
            notes = talking.ask(STOP)["notes"]
            assert any(wanted in note for note in notes), notes
            return notes
    raise AssertionError("unreachable")


def test_readyz_tells_of_the_gateway(talking: Talk) -> None:
    talking.gateway.stop()
    readiness = talking.running.wait_until_ready(False).json()
    assert readiness["checks"].keys() >= {"embedding", "reasoning", "knowledge"}
    assert readiness["models"].keys() == {"embedding", "reasoning"}
    assert not readiness["checks"]["embedding"]["ok"]
    assert httpx.get(f"{talking.running.url}/healthz", timeout=60).status_code == 200
    talking.gateway.start()
    talking.running.wait_until_ready()
