import asyncio
import threading
from collections.abc import Callable

import httpx
import pytest

from agents.metrics import Metrics
from agents.tracing.export import BATCHED_SPANS, QUEUED_SPANS, SpanExport
from agents.tracing.scores import QUEUED_SCORES, Score, Scores
from agents.tracing.service_tracing import LOST
from tests.agents.conftest import Running
from tests.agents.tracing.conftest import StartTraced
from tests.agents.tracing.played_langfuse import (
    SECRET_KEY,
    TRACES_PATH,
    WAIT_SECONDS,
    PlayedLangfuse,
    langfuse_at,
    wait_for,
)
from tests.ports import free_port

GROUNDED = "`make down` stops every process that `make up` started."
QUESTION = "What does make down stop?"


@pytest.fixture
def hanging(langfuse: PlayedLangfuse) -> PlayedLangfuse:
    """It takes connections and requests, and answers none."""
    langfuse.answering.clear()
    return langfuse


def counted(metrics: Metrics, name: str) -> float:
    lines = metrics.exposition(True).decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def until(condition: Callable[[], object]) -> None:
    """Wait, without holding up the loop that sends."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


def rated(running: Running, trace_id: str) -> int:
    body = {"trace_id": trace_id, "rating": "up"}
    return httpx.post(f"{running.url}/v1/feedback", json=body, timeout=120).status_code


def test_questions_are_answered_when_nobody_listens(start_traced: StartTraced) -> None:
    running, server = start_traced(f"http://127.0.0.1:{free_port()}")
    running.gateway.reply = GROUNDED
    answer = running.ask(QUESTION).json()
    assert answer["kind"] == "answered"
    assert rated(running, answer["trace_id"]) == 204
    server.stop()


def traces_arrive(running: Running, ok: bool) -> None:
    """Wait until the service has found out that Langfuse takes its spans, or does not."""

    def found() -> None:
        readiness = httpx.get(f"{running.url}/readyz", timeout=60)
        assert readiness.status_code == 200, "answers do not depend on it"
        assert readiness.json()["lesser_checks"]["traces"]["ok"] is ok

    wait_for(found)


def test_an_answer_and_readyz_say_that_traces_are_lost_until_langfuse_takes_them_again(
    traced: Running, langfuse: PlayedLangfuse
) -> None:
    traced.gateway.reply = GROUNDED
    assert traced.ask(QUESTION).json()["notes"] == []
    traces_arrive(traced, ok=True)
    langfuse.status = 401
    traced.ask(QUESTION)
    traces_arrive(traced, ok=False)
    assert traced.ask(QUESTION).json()["notes"] == [LOST]
    langfuse.status = 200
    traced.ask(QUESTION)
    traces_arrive(traced, ok=True)
    assert traced.ask(QUESTION).json()["notes"] == []


def test_questions_are_answered_and_the_service_stops_while_langfuse_hangs(
    start_traced: StartTraced, hanging: PlayedLangfuse
) -> None:
    running, server = start_traced(hanging.host)
    running.gateway.reply = GROUNDED
    for _ in range(3):
        answer = running.ask(QUESTION).json()
        assert answer["kind"] == "answered"
        assert rated(running, answer["trace_id"]) == 204
    wait_for(lambda: _holds(TRACES_PATH in hanging.requests))
    server.stop()
    assert not hanging.answering.is_set()
    assert hanging.spans == []


def test_the_queue_of_spans_is_bounded_and_the_newest_are_kept(hanging: PlayedLangfuse) -> None:
    metrics = Metrics()
    export = SpanExport(langfuse_at(hanging.host), SECRET_KEY, "local", None, metrics)
    made = 3 * QUEUED_SPANS
    for number in range(made):
        export.tracer.start_span(f"span {number}").end()
    hanging.answering.set()
    # The present batch was underway, the queue held the newest; nothing else was kept.
    last = wait_for(lambda: _holds([span for span in hanging.spans if span.name == f"span {made - 1}"]))
    assert last
    assert len(hanging.spans) <= QUEUED_SPANS + 2 * BATCHED_SPANS
    assert counted(metrics, 'agents_spans_total{outcome="ended"}') == made
    asyncio.run(export.close())


def test_spans_that_langfuse_refuses_are_counted(langfuse: PlayedLangfuse) -> None:
    langfuse.status, metrics = 401, Metrics()
    export = SpanExport(langfuse_at(langfuse.host), SECRET_KEY, "local", None, metrics)
    export.tracer.start_span("one").end()
    wait_for(lambda: _holds(counted(metrics, 'agents_spans_total{outcome="failed"}') == 1))
    asyncio.run(export.close())
    assert langfuse.spans == []


async def test_scores_wait_for_a_langfuse_that_comes_back(langfuse: PlayedLangfuse) -> None:
    langfuse.status, metrics = 503, Metrics()
    scores = Scores(langfuse_at(langfuse.host), SECRET_KEY, "local", metrics)
    scores.start()
    scores.put(Score("a" * 32, "relevancy", 0.5))
    await until(lambda: langfuse.requests)
    langfuse.status = 200
    await until(lambda: langfuse.scores)
    await scores.close()
    assert [score["value"] for score in langfuse.scores] == [0.5]
    assert counted(metrics, 'agents_scores_total{outcome="sent"}') == 1


async def test_the_queue_of_scores_is_bounded_and_closing_does_not_wait_for_ever(hanging: PlayedLangfuse) -> None:
    metrics = Metrics()
    scores = Scores(langfuse_at(hanging.host), SECRET_KEY, "local", metrics)
    scores.start()
    for number in range(QUEUED_SCORES + 10):
        scores.put(Score(f"{number:032x}", "relevancy", 0.5))
    assert counted(metrics, 'agents_scores_total{outcome="dropped"}') == 10
    await scores.close()
    assert not hanging.answering.is_set()


async def test_a_refusal_for_good_is_not_tried_again(langfuse: PlayedLangfuse) -> None:
    langfuse.status, metrics = 401, Metrics()
    scores = Scores(langfuse_at(langfuse.host), SECRET_KEY, "local", metrics)
    scores.start()
    scores.put(Score("a" * 32, "relevancy", 0.5))
    await until(lambda: counted(metrics, 'agents_scores_total{outcome="failed"}'))
    await scores.close()
    assert len(langfuse.requests) == 1


async def test_scores_of_a_batch_that_langfuse_refuses_are_counted(
    langfuse: PlayedLangfuse, caplog: pytest.LogCaptureFixture
) -> None:
    langfuse.refused_scores, metrics = 1, Metrics()
    scores = Scores(langfuse_at(langfuse.host), SECRET_KEY, "local", metrics)
    scores.start()
    for name in ("relevancy", "groundedness", "feedback"):
        scores.put(Score("a" * 32, name, 1))
    await until(lambda: counted(metrics, "agents_scores_total") == 3)
    await scores.close()
    assert counted(metrics, 'agents_scores_total{outcome="failed"}') == 1
    assert counted(metrics, 'agents_scores_total{outcome="sent"}') == 2
    assert [score["name"] for score in langfuse.scores] == ["groundedness", "feedback"]
    assert "Langfuse refused 1 of 3 scores" in caplog.text


async def test_scores_go_on_after_an_answer_that_nobody_foresaw(langfuse: PlayedLangfuse) -> None:
    langfuse.scores_answer, metrics = [], Metrics()
    scores = Scores(langfuse_at(langfuse.host), SECRET_KEY, "local", metrics)
    scores.start()
    scores.put(Score("a" * 32, "relevancy", 0.5))
    await until(lambda: counted(metrics, 'agents_scores_total{outcome="failed"}') == 1)
    langfuse.scores_answer = None
    scores.put(Score("b" * 32, "relevancy", 1))
    await until(lambda: counted(metrics, 'agents_scores_total{outcome="sent"}') == 1)
    await scores.close()
    assert [score["traceId"] for score in langfuse.scores] == ["b" * 32]


def test_without_langfuse_nothing_is_made(service: Running) -> None:
    threads = {thread.name for thread in threading.enumerate()}
    assert not [name for name in threads if "Otel" in name]
    assert service.ask(QUESTION).status_code == 200


def _holds(found: object) -> object:
    assert found
    return found
