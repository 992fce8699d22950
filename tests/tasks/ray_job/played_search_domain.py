"""The search domain of an environment, played: no emulator has one that answers, so this keeps its roles only."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
# https://docs.opensearch.org/latest/security/access-control/api/
SECURITY = "/_plugins/_security/api/"


@dataclass
class PlayedDomain:
    """Where it answers, and the roles and their mappings that it was given, by name."""

    address: str = ""
    roles: dict[str, Any] = field(default_factory=dict[str, Any])
    mappings: dict[str, Any] = field(default_factory=dict[str, Any])

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the content of the answer to a request."""
        kind, _, name = path.removeprefix(SECURITY).rstrip("/").partition("/")
        held = {"roles": self.roles, "rolesmapping": self.mappings}.get(kind)
        if held is None or not path.startswith(SECURITY):
            return 501, {"error": f"{method} {path} is not played"}
        if method == "PUT":
            held[name] = json.loads(body)
            return 200, {"status": "OK"}
        return 200, held


@contextmanager
def running_search_domain() -> Generator[PlayedDomain]:
    """Play an empty domain on a port of loopback for the block."""
    domain = PlayedDomain()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = domain.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = _answer  # noqa: N815 - the names that the base class calls

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    domain.address = f"http://{HOST}:{server.server_address[1]}"
    try:
        yield domain
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
