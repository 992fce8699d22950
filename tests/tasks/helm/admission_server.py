"""A webhook's server, which a test starts when it wants it to serve."""

import base64
import json
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rehearsal.cluster.certificates import Authority
from tests.ports import free_port

HOST = "127.0.0.1"


class AdmissionServer:
    """Lets every object pass once it serves, after `before_answer`, called with the object's name, returned."""

    def __init__(self, directory: Path) -> None:
        authority = Authority(directory)
        self._credentials = authority.issue("admission", addresses=[HOST])
        self.port = free_port()
        self.url = f"https://{HOST}:{self.port}/"
        self.certificate_authority = base64.b64encode(authority.certificate.read_bytes()).decode()
        self._started = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    @property
    def values(self) -> dict[str, object]:
        return {"url": self.url, "certificateAuthority": self.certificate_authority, "guarded": "guarded"}

    def start(self, before_answer: Callable[[str], object] = lambda _: None) -> None:
        with self._started:
            if self._server is not None:
                return
            self._server = ThreadingHTTPServer((HOST, self.port), _handler(before_answer))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._credentials.certificate, self._credentials.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@contextmanager
def admission_server(directory: Path) -> Generator[AdmissionServer]:
    server = AdmissionServer(directory)
    try:
        yield server
    finally:
        server.stop()


def _handler(before_answer: Callable[[str], object]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            before_answer(review["request"]["name"])
            answer = {"uid": review["request"]["uid"], "allowed": True}
            body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
