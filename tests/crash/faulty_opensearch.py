"""A proxy before a real OpenSearch server, at which one request meets a fault, and which knows what was written."""

import itertools
import json
import re
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

from tests.crash.faults import Case, WireFault, WirePoint

STATUS = {WireFault.BUSY: 429, WireFault.FAILED: 500, WireFault.UNAVAILABLE: 503}
# Those of the refused parts of a bulk request, in turn.
STATUS_OF_PARTS = {
    WireFault.PART_BUSY: (429,),
    WireFault.PART_FAILED: (503,),
    WireFault.PART_BOTH: (429, 503),
}
READS = re.compile(r".*/(_count|_mget|_msearch|_search|_search/scroll)")
HOP_BY_HOP = ("connection", "content-length", "host", "accept-encoding", "transfer-encoding")
SERVER_SECONDS = 120
SLOW_SECONDS = 3.0


class FaultyOpenSearch:
    """Hands every request on, except for the one that the case says; `struck` counts what met a fault.

    `writes` are the method and path of every request since then that has the server change something.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.url = ""
        self.struck = 0
        self.writes: list[tuple[str, str]] = []
        self._case: Case | None = None
        self._calls = 0
        self._away = False
        self._lock = threading.Lock()

    def set_case(self, case: Case | None) -> None:
        """Have this fault met once from now on, or none; whoever was away is back."""
        with self._lock:
            self._case, self._calls, self._away, self.struck, self.writes = case, 0, False, 0, []

    def fault_of(self, method: str, path: str) -> WireFault | None:
        """What happens to the request that comes now."""
        with self._lock:
            if method not in ("GET", "HEAD") and not READS.fullmatch(path):
                self.writes.append((method, path))
            if self._away:
                return WireFault.AWAY_AFTER
            case = self._case
            if case is None or not isinstance(case.point, WirePoint) or not isinstance(case.fault, WireFault):
                return None
            if not case.point.is_met_by(method, path):
                return None
            self._calls += 1
            if self._calls != case.call:
                return None
            self.struck += 1
            return case.fault

    def begins_to_be_away(self) -> bool:
        """From now on nothing answers; False when that was so already."""
        with self._lock:
            before, self._away = self._away, True
            return not before


class _Server(ThreadingHTTPServer):
    proxy: FaultyOpenSearch


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def proxy(self) -> FaultyOpenSearch:
        return cast(_Server, self.server).proxy

    def hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        match self.proxy.fault_of(self.command, urlsplit(self.path).path):
            case None:
                self.answer(*self.upstream_answer(body))
            case WireFault.SLOW:
                time.sleep(SLOW_SECONDS)
                self.answer(*self.upstream_answer(body))
            case WireFault.TIMED_OUT:
                # As a load balancer does: whoever tries again meets what still goes on.
                going_on = threading.Thread(target=self.upstream_answer, args=(body,))
                going_on.start()
                self.answer(504, json.dumps({"error": {"type": WireFault.TIMED_OUT.value}}).encode())
                going_on.join()
            case WireFault.CUT_AFTER:
                self.upstream_answer(body)
                self.close_connection = True
            case WireFault.AWAY_AFTER:
                if self.proxy.begins_to_be_away():
                    self.upstream_answer(body)
                self.close_connection = True
            case fault if fault in STATUS_OF_PARTS:
                self.hand_on_in_part(body, STATUS_OF_PARTS[fault])
            case fault:
                self.answer(STATUS[fault], json.dumps({"error": {"type": fault.value}}).encode())

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = hand_on  # noqa: N815 - the names that the library looks for

    def upstream_answer(self, body: bytes) -> tuple[int, bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection = HTTPConnection(self.proxy.upstream, timeout=SERVER_SECONDS)
        try:
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def hand_on_in_part(self, body: bytes, statuses: Sequence[int]) -> None:
        """Have the server do the first half of the actions, and refuse the others."""
        lines = body.splitlines(keepends=True)
        # An action and its document, a line each.
        half = len(lines) // 4 * 2
        done = b"".join(lines[:half])
        answer = self.upstream_answer(done)[1] if done else b'{"items": []}'
        said: dict[str, Any] = json.loads(answer)
        error = {"type": "es_rejected_execution_exception", "reason": "injected"}
        for line, status in zip(lines[half::2], itertools.cycle(statuses), strict=False):
            ((verb, named),) = json.loads(line).items()
            said["items"].append({verb: {**named, "status": status, "error": error}})
        self.answer(200, json.dumps({**said, "errors": True}).encode())

    def answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def faulty_opensearch(upstream: str) -> Generator[FaultyOpenSearch]:
    """A proxy of the server at `upstream`, on a port of its own, until the end of the block."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = FaultyOpenSearch(upstream)
        server.proxy.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            thread.join()
