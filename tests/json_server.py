"""An HTTP server on loopback that answers in JSON, for what is played at the network's border."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler, bytes], tuple[int, Any]]


@contextmanager
def running_json_server(answer: Answer, *methods: str) -> Generator[str]:
    """Run it for the block; yields its address. It knows no other `methods` than these.

    `answer` is given the request, which knows its `command`, `path` and `headers`, with its body, and returns the
    status and the document.
    """

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if self.command not in methods:
                self.send_error(501)
                return
            status, document = answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = _answer  # noqa: N815 - the names that the base class calls

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
