from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.agents.conftest import Running, running_service
from tests.agents.signed_in import Doorkeeper, Headers, access
from tests.agents.tracing.played_langfuse import PlayedLangfuse, wait_for

QUESTION = "What does make down stop?"


def rate(running: Running, **body: Any) -> httpx.Response:
    return httpx.post(f"{running.url}/v1/feedback", json=body, timeout=120)


def test_a_rating_becomes_a_score_of_the_trace_and_a_metric(traced: Running, langfuse: PlayedLangfuse) -> None:
    trace_id = traced.ask(QUESTION).json()["trace_id"]
    response = rate(traced, trace_id=trace_id, rating="down", comment="Wrong, write to jane@example.com")
    assert (response.status_code, response.content) == (204, b"")

    def arrived() -> dict[str, Any]:
        found = [score for score in langfuse.scores if score["name"] == "feedback"]
        assert len(found) == 1
        return found[0]

    score = wait_for(arrived)
    assert (score["traceId"], score["value"], score["dataType"]) == (trace_id, 0, "BOOLEAN")
    assert score["comment"] == "Wrong, write to [e-mail]"
    assert score["id"] == f"{trace_id}-feedback"
    assert 'agents_feedback_total{rating="down"} 1.0' in httpx.get(f"{traced.url}/metrics", timeout=60).text


def test_a_rating_that_comes_again_replaces_the_former_and_is_counted_once(
    traced: Running, langfuse: PlayedLangfuse
) -> None:
    trace_id = traced.ask(QUESTION).json()["trace_id"]
    for comment in (None, "It stops the worker, too."):
        assert rate(traced, trace_id=trace_id, rating="down", comment=comment).status_code == 204

    def arrived() -> list[dict[str, Any]]:
        found = [score for score in langfuse.scores if score["name"] == "feedback"]
        assert len(found) == 2
        return found

    scores = wait_for(arrived)
    assert {score["id"] for score in scores} == {f"{trace_id}-feedback"}, "the later one replaces the former"
    assert scores[-1]["comment"] == "It stops the worker, too."
    assert 'agents_feedback_total{rating="down"} 1.0' in httpx.get(f"{traced.url}/metrics", timeout=60).text


def test_only_answers_of_this_service_are_rated(service: Running) -> None:
    trace_id = service.ask(QUESTION).json()["trace_id"]
    assert rate(service, trace_id=trace_id, rating="up").status_code == 204
    response = rate(service, trace_id="0" * 32, rating="up")
    assert response.status_code == 404
    assert "was given here lately" in response.json()["error"]["message"]


def test_an_answer_in_a_conversation_is_rated_at_any_replica_by_its_owner_alone(tmp_path: Path) -> None:
    told, keys = access(tmp_path / "state.db"), Doorkeeper(tmp_path / "state.db")
    with (
        running_service(tmp_path / "one", access=told) as one,
        running_service(tmp_path / "other", access=told) as other,
    ):
        one.wait_until_ready()
        other.wait_until_ready()
        ada, bob = keys.headers("ada"), keys.headers("bob")

        def answered(**more: str) -> str:
            body = {"question": QUESTION, **more}
            return httpx.post(f"{one.url}/v1/ask", json=body, headers=ada, timeout=60).json()["trace_id"]

        def rated(trace_id: str, headers: Headers) -> int:
            body = {"trace_id": trace_id, "rating": "up"}
            return httpx.post(f"{other.url}/v1/feedback", json=body, headers=headers, timeout=60).status_code

        kept = answered(conversation_id="c1")
        assert rated(kept, ada) == 204
        assert rated(kept, bob) == 404
        assert rated(answered(), ada) == 404, "it is in no conversation"
        counted = httpx.get(f"{other.url}/metrics", timeout=60).text
        assert 'agents_feedback_total{rating="up"} 1.0' in counted


@pytest.mark.parametrize(
    "wrong",
    [
        {"rating": "sideways"},
        {"trace_id": "not hexadecimal"},
        {"comment": "x" * 2001},
        {"stars": 5},
    ],
)
def test_what_is_no_rating_is_refused(service: Running, wrong: dict[str, Any]) -> None:
    assert rate(service, **{"trace_id": "0" * 32, "rating": "up", **wrong}).status_code == 422
