"""The search domain of an environment, played: no emulator has one that answers, so this keeps its roles only."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.json_server import running_json_server

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

    def answer(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, Any]]:
        return domain.answer(request.command, request.path, body)

    with running_json_server(answer, "GET", "PUT") as address:
        domain.address = address
        yield domain
