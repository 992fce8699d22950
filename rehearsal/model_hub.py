"""A hub of models on this machine: the HTTP interface that weights are mirrored from, with small stand-in files.

https://huggingface.co/docs/hub/api
"""

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

from tasks.environment.models import Models

# Files of this kind lie in large file storage on the real hub, which says their SHA-256.
LARGE = ".safetensors"
STAND_IN = {
    "config.json": b'{"model_type": "stand-in"}',
    "tokenizer.json": b"{}",
    "model.safetensors": b"no weights: this stands in for a model" * 100,
}


@dataclass
class HubModel:
    """A repository with one revision; `promised` are hashes that the hub tells wrongly, by file.

    A large file that is asked for from its beginning breaks off after `breaks_after` bytes.
    """

    revision: str
    licence: str
    files: Mapping[str, bytes]
    token: str | None = None
    breaks_after: int | None = None
    promised: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class ModelHub:
    """The repositories by name, and what was asked for."""

    address: str
    models: Mapping[str, HubModel]
    requests: list[str] = field(default_factory=list[str])


def stand_ins(models: Models) -> dict[str, HubModel]:
    """A repository for each that the catalogue names, with the licence that it expects, and nothing that can answer."""
    wanted = [model.weights for model in models.catalogue.values() if model.weights is not None]
    return {each.repository: HubModel(each.revision, each.licence, STAND_IN) for each in wanted}


@contextmanager
def running_model_hub(models: Mapping[str, HubModel]) -> Generator[ModelHub]:
    """Serve `models` on a free port of the loopback interface until the block ends."""

    class Handler(_Handler):
        known = models

        def do_GET(self) -> None:
            hub.requests.append(self.requested)
            self.answer()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = ModelHub(f"http://127.0.0.1:{server.server_port}", models)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    known: Mapping[str, HubModel]

    @property
    def requested(self) -> str:
        return unquote(urlsplit(self.path).path)

    def answer(self) -> None:
        # /api/models/<owner>/<name>/<what>/<revision>, or /<owner>/<name>/resolve/<revision>/<file>
        parts = self.requested.removeprefix("/api/models").strip("/").split("/", 4)
        model = self.known.get("/".join(parts[:2]))
        if model is None or len(parts) < 4 or parts[3] != model.revision:
            self._send(HTTPStatus.NOT_FOUND, b"{}")
        elif model.token is not None and self.headers.get("Authorization") != f"Bearer {model.token}":
            self._send(HTTPStatus.UNAUTHORIZED, b"{}")
        elif parts[2] == "revision":
            self._send_json({"sha": model.revision, "tags": [f"license:{model.licence}"]})
        elif parts[2] == "tree":
            self._send_json([_entry(model, file) for file in sorted(model.files)])
        else:
            self._send_file(model, parts[4])

    def _send_file(self, model: HubModel, name: str) -> None:
        content, wanted = model.files[name], self.headers.get("Range")
        first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if model.breaks_after is not None and name.endswith(LARGE) and not first:
            self._send(HTTPStatus.OK, content, content[: model.breaks_after])
            self.close_connection = True
        else:
            self._send(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK, content[first:])

    def _send_json(self, document: object) -> None:
        self._send(HTTPStatus.OK, json.dumps(document).encode())

    def _send(self, status: HTTPStatus, content: bytes, sent: bytes | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if sent is None else sent)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said: whoever started the hub asks it for the requests."""


def _entry(model: HubModel, name: str) -> dict[str, object]:
    content = model.files[name]
    blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
    entry: dict[str, object] = {
        "type": "file",
        "path": name,
        "size": len(content),
        "oid": model.promised.get(name, blob),
    }
    if name.endswith(LARGE):
        sha256 = model.promised.get(name, hashlib.sha256(content).hexdigest())
        entry["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
    return entry
