"""Asking a service over real HTTP; the service is a stand-in with scripted responses."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.agent_service.http_api import AssistantUnavailable, NoAnswer, TimedAnswer, require_ready, search_all
from tasks.golden.answers import ask_all, search_most

FOUND = {
    "generation": "g1",
    "relevancy": 0.5,
    "passages": [{"rank": 1, "chunk": {"path": "a.md", "text": "x"}}],
    "trace_id": "t",
}
SAID = {"generation": "g1", "kind": "quoted", "answer": "x [1]", "groundedness": 1.0, "route": ["retrieve"]}


@contextmanager
def scripted_service(*responses: tuple[int, object]) -> Generator[tuple[str, list[object]]]:
    asked: list[object] = []
    left = list(responses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append((self.path, json.loads(body)))
            status, answer = left.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def do_GET(self) -> None:
            status, answer = left.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_a_service_that_breaks_down_when_asked_is_not_ready() -> None:
    with (
        scripted_service(*[(500, "broken")] * 100) as (url, _),
        pytest.raises(AssistantUnavailable, match='readyz answers 500 "broken"'),
    ):
        require_ready.fn(url, 0.5)
    with scripted_service((500, "broken"), (200, "ready")) as (url, _):
        require_ready.fn(url, 60)


def test_every_question_is_searched_in_order() -> None:
    with scripted_service((200, FOUND), (200, FOUND | {"passages": []})) as (url, asked):
        first, second = search_all.fn(url, ["one", "two"], 7, 10)
    assert (first.relevancy, first.passages[0].chunk.path, second.passages) == (0.5, "a.md", ())
    assert asked == [("/v1/search", {"query": "one", "limit": 7}), ("/v1/search", {"query": "two", "limit": 7})]


def test_progress_is_told_after_every_answer() -> None:
    progress: list[int] = []
    with scripted_service((200, SAID), (200, SAID)) as (url, asked):
        answers = ask_all.fn(url, ["one", "two"], 10, progress.append)
    assert progress == [1, 2]
    assert [answer.said.answer for answer in answers if isinstance(answer, TimedAnswer)] == ["x [1]", "x [1]"]
    assert asked[0] == ("/v1/ask", {"question": "one"})


def test_a_question_without_an_answer_is_kept_with_its_reason_and_the_others_are_asked() -> None:
    responses = ((200, SAID), (500, {"error": "boom"}), (200, SAID | {"groundedness": float("nan")}), (200, SAID))
    with scripted_service(*responses) as (url, asked):
        answers = ask_all.fn(url, ["one", "two", "three", "four"], 10, lambda _: None, most_failed=0.5)
    assert [isinstance(answer, NoAnswer) for answer in answers] == [False, True, True, False]
    _, refused, no_number, _ = answers
    assert isinstance(refused, NoAnswer)
    assert isinstance(no_number, NoAnswer)
    assert "500" in refused.reason
    assert "groundedness" in no_number.reason
    assert len(asked) == 4


def test_more_questions_without_an_answer_than_may_be_end_the_asking() -> None:
    with (
        scripted_service((500, {"error": "boom"}), (500, {"error": "bang"})) as (url, asked),
        pytest.raises(
            AssistantUnavailable, match=r"2 of 3 questions got no answer, above the allowed share 0\.4.*boom"
        ),
    ):
        ask_all.fn(url, ["one", "two", "three"], 10, lambda _: None, most_failed=0.4)
    assert len(asked) == 2


def test_searches_that_fail_are_kept_with_their_reason_up_to_a_share() -> None:
    responses = ((500, {"error": "boom"}), (200, FOUND), (500, {"error": "bang"}))
    with scripted_service(*responses[:2]) as (url, asked):
        failed, found = search_most.fn(url, ["one", "two"], 5, 10, None, 0.5)
    assert isinstance(failed, NoAnswer)
    assert "boom" in failed.reason
    assert not isinstance(found, NoAnswer)
    assert len(asked) == 2
    with (
        scripted_service(*responses) as (url, asked),
        pytest.raises(
            AssistantUnavailable, match=r"2 of 4 questions got no answer, above the allowed share 0\.3.*boom"
        ),
    ):
        search_most.fn(url, ["one", "two", "three", "four"], 5, 10, None, 0.3)
    assert len(asked) == 3


def test_a_service_that_is_not_ready_is_asked_again() -> None:
    with scripted_service((503, {"error": "warming up"}), (200, FOUND)) as (url, asked):
        assert len(search_all.fn(url, ["one"], 5, 10)) == 1
    assert len(asked) == 2


def test_a_refusal_says_what_was_refused_and_is_not_repeated() -> None:
    with (
        scripted_service((422, {"error": "the question is empty"})) as (url, asked),
        pytest.raises(AssistantUnavailable, match=r"/v1/search with .*'one'.* was refused: 422 .*is empty"),
    ):
        search_all.fn(url, ["one"], 5, 10)
    assert len(asked) == 1


def test_an_answer_of_another_shape_is_refused() -> None:
    with (
        scripted_service((200, {"passages": []})) as (url, _),
        pytest.raises(AssistantUnavailable, match="something else than SearchAnswer"),
    ):
        search_all.fn(url, ["one"], 5, 10)
