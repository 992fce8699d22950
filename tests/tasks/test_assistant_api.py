"""Asking a service over real HTTP; the service is a stand-in with scripted responses."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.assistant_api import AssistantUnavailable, ask_all, search_all

FOUND = {"relevancy": 0.5, "passages": [{"rank": 1, "chunk": {"path": "a.md", "text": "x"}}], "trace_id": "t"}
SAID = {"kind": "quoted", "answer": "x [1]", "groundedness": 1.0, "route": ["retrieve"]}


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

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


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
    assert [answer.said.answer for answer in answers] == ["x [1]", "x [1]"]
    assert asked[0] == ("/v1/ask", {"question": "one"})


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
