"""LiteLLM's management of keys, played over HTTP: its own needs a database. What it is sent has to fit its forms."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from litellm.proxy._types import GenerateKeyRequest, KeyRequest, UpdateKeyRequest, UserAPIKeyAuth

MASTER = "sk-master-key-of-the-test"
FORMS = {"/key/generate": GenerateKeyRequest, "/key/update": UpdateKeyRequest, "/key/delete": KeyRequest}


def token_of(key: str) -> str:
    """Under which LiteLLM keeps a key."""
    return sha256(key.encode()).hexdigest()


@dataclass
class PlayedKeys:
    """`keys` are those that it knows, by token; `changes` are the paths that changed one; `broken` refuses changes."""

    address: str = ""
    keys: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    changes: list[str] = field(default_factory=list[str])
    broken: bool = False

    def listed(self, query: Mapping[str, list[str]]) -> dict[str, Any]:
        """`GET /key/list`, as LiteLLM writes a full key."""
        (part,) = query["key_alias"]
        found = [row for row in self.keys.values() if part in row["key_alias"]]
        keys = [UserAPIKeyAuth(**row).model_dump(mode="json", exclude_none=True) for row in found]
        return {"keys": keys, "total_count": len(keys), "current_page": 1, "total_pages": 1}

    def change(self, path: str, body: Mapping[str, Any]) -> int:
        """The status that LiteLLM answers with."""
        form = FORMS[path]
        assert set(body) <= set(form.model_fields), body
        form.model_validate(body)
        if self.broken:
            return 500
        self.changes.append(path)
        if path == "/key/delete":
            for token in body["keys"]:
                del self.keys[token]
        elif path == "/key/update":
            self.keys[body["key"]] |= {name: value for name, value in body.items() if name != "key"}
        else:
            if body["key_alias"] in {row["key_alias"] for row in self.keys.values()}:
                return 400
            token = token_of(body["key"])
            self.keys[token] = {"token": token, **{name: value for name, value in body.items() if name != "key"}}
        return 200


@contextmanager
def played_gateway_keys() -> Generator[PlayedKeys]:
    """It, at its address."""
    played = PlayedKeys()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            client = played.keys.get(token_of(self.headers["authorization"].removeprefix("Bearer ")))
            if client is not None and client.get("spend", 0) >= client["max_budget"]:
                return self._answer(422, {"error": {"message": "Budget!", "type": "budget_exceeded", "code": "422"}})
            if client is not None:
                return self._answer(200 if parts.path == "/v1/models" else 403, {})
            if self.headers["authorization"] != f"Bearer {MASTER}":
                return self._answer(401, {"error": "no such key"})
            if parts.path == "/key/list":
                return self._answer(200, played.listed(parse_qs(parts.query)))
            return self._answer(200 if parts.path == "/v1/models" else 404, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.headers["authorization"] != f"Bearer {MASTER}":
                return self._answer(401, {"error": "no such key"})
            # As LiteLLM does, it quotes what it was sent.
            return self._answer(played.change(self.path, body), body)

        def _answer(self, status: int, document: Any) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    played.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield played
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
