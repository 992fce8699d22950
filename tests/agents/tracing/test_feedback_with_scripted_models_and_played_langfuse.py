from typing import Any

import httpx
import pytest

from tests.agents.conftest import Running
from tests.agents.tracing.played_langfuse import PlayedLangfuse, wait_for

QUESTION = "What does make down stop?"


def rate(running: Running, **body: Any) -> httpx.Response:
    return httpx.post(f"{running.url}/v1/feedback", json=body, timeout=30)


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
    assert 'agents_feedback_total{rating="down"} 1.0' in httpx.get(f"{traced.url}/metrics").text


def test_only_answers_of_this_service_are_rated(service: Running) -> None:
    trace_id = service.ask(QUESTION).json()["trace_id"]
    assert rate(service, trace_id=trace_id, rating="up").status_code == 204
    response = rate(service, trace_id="0" * 32, rating="up")
    assert response.status_code == 404
    assert "was given here lately" in response.json()["error"]["message"]


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
