"""A container registry on loopback that takes what is pushed, and asks for a user and a password first.

It answers what pushing needs of https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push.
"""

import base64
import hashlib
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class PlayedRegistry:
    """What was pushed: contents by digest, and the manifest of each `<repository>:<tag>`."""

    credentials: str
    address: str = ""
    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])
    manifests: dict[str, bytes] = field(default_factory=dict[str, bytes])
    refused: int = 0


@contextmanager
def played_registry(credentials: str) -> Generator[PlayedRegistry]:
    """A registry that lets in who says `credentials` (`<user>:<password>`)."""
    registry = PlayedRegistry(credentials)

    class Handler(_Handler):
        def registry(self) -> PlayedRegistry:
            return registry

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def registry(self) -> PlayedRegistry:
        raise NotImplementedError

    def do_GET(self) -> None:
        if self._let_in():
            self._answer(200)

    def do_HEAD(self) -> None:
        if self._let_in():
            digest = self.path.rpartition("/")[2]
            content = self.registry().contents.get(digest)
            self._answer(404 if content is None else 200, {"Docker-Content-Digest": digest}, len(content or b""))

    def do_POST(self) -> None:
        self._read()
        if self._let_in():
            self._answer(202, {"Location": f"{self.path.rstrip('/')}/one", "Docker-Upload-UUID": "one"})

    def do_PATCH(self) -> None:
        content = self._read()
        if self._let_in():
            digest = _digest(content)
            self.registry().contents[digest] = content
            self._answer(202, {"Location": self.path, "Range": f"0-{len(content) - 1}"})

    def do_PUT(self) -> None:
        content = self._read()
        if not self._let_in():
            return
        place = re.fullmatch("/v2/(.+)/manifests/(.+)", self.path)
        if place:
            self.registry().manifests[f"{place[1]}:{place[2]}"] = content
        self._answer(201, {"Docker-Content-Digest": _digest(content)} if place else {})

    def _let_in(self) -> bool:
        expected = base64.b64encode(self.registry().credentials.encode()).decode()
        if self.headers.get("Authorization") == f"Basic {expected}":
            return True
        self.registry().refused += 1
        self._answer(401, {"WWW-Authenticate": 'Basic realm="played"'})
        return False

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _answer(self, status: int, headers: dict[str, str] | None = None, length: int = 0) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
