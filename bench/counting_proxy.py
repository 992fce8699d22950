"""A way to an API server that counts the requests which take it."""

import os
import ssl
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from rehearsal.cluster.kubeconfig import read_kubeconfig

HOST = "127.0.0.1"
CHUNK = 65536
# Said of one connection, and not passed on.
HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "host", "accept-encoding")


class Counter:
    """How many requests came so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests = 0

    def add(self) -> None:
        with self._lock:
            self.requests += 1


@contextmanager
def counting_proxy(kubeconfig: Path, directory: Path) -> Generator[tuple[Path, Counter]]:
    """The kubeconfig that leads through a proxy on loopback to where `kubeconfig` leads, and the proxy's counter."""
    counter = Counter()
    with ThreadingHTTPServer((HOST, 0), _handler(kubeconfig, counter)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield _kubeconfig(directory / "counted.kubeconfig", server.server_port), counter
        finally:
            server.shutdown()
            thread.join()


def _kubeconfig(path: Path, port: int) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "counted", "cluster": {"server": f"http://{HOST}:{port}"}}],
        "users": [{"name": "counted", "user": {}}],
        "contexts": [{"name": "counted", "context": {"cluster": "counted", "user": "counted"}}],
        "current-context": "counted",
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _handler(kubeconfig: Path, counter: Counter) -> type[BaseHTTPRequestHandler]:
    access = read_kubeconfig(kubeconfig)
    address = urlsplit(access.server)
    context = ssl.create_default_context(cadata=access.authority)
    with tempfile.TemporaryDirectory() as scratch:
        pair = Path(scratch) / "pair.pem"
        pair.touch(0o600)
        pair.write_text(f"{access.certificate}{os.linesep}{access.key}", encoding="ascii")
        context.load_cert_chain(pair)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            counter.add()
            length = int(self.headers.get("content-length", 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            onward = HTTPSConnection(address.hostname or HOST, address.port, context=context)
            try:
                onward.request(self.command, self.path, self.rfile.read(length), headers)
                answer = onward.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while chunk := answer.read1(CHUNK):
                    self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")
            finally:
                onward.close()

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
