"""Whether a flow run is cancelled or alive, as a scripted Prefect server, or what stands before it, answers."""

import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks.runs.state import PrefectAway, run_is_alive, this_run_is_cancelled
from tests.ports import free_port

RUN = str(uuid.uuid4())


@pytest.fixture
def answer_with(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Sets the status that the server answers with; before, none listens at its address."""
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", RUN)
    port, servers = free_port(), list[ThreadingHTTPServer]()

    def answer(status: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        servers.append(ThreadingHTTPServer(("127.0.0.1", port), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()

    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        yield answer
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [None, 500, 502, 503, 504])
def test_a_server_that_starts_again_ends_no_run_and_may_be_asked_later(
    answer_with: Callable[[int], None], status: int | None
) -> None:
    if status is not None:
        answer_with(status)
    assert this_run_is_cancelled() is False
    with pytest.raises(PrefectAway, match=RUN):
        run_is_alive(RUN)


def test_a_server_that_refuses_is_an_error(answer_with: Callable[[int], None]) -> None:
    answer_with(403)
    for ask in (this_run_is_cancelled, lambda: run_is_alive(RUN)):
        with pytest.raises(PrefectHTTPStatusError, match="403"):
            ask()


def test_a_run_that_the_server_does_not_know_is_not_alive(answer_with: Callable[[int], None]) -> None:
    answer_with(404)
    assert (this_run_is_cancelled(), run_is_alive(RUN)) == (False, False)
