"""Ray Serve, played at the network: the pods of simulated nodes run no Ray that the KubeRay operator could ask.

The operator reaches it as an HTTP proxy, so that it keeps the addresses that Kubernetes gives. Every application runs
as soon as it is handed in: https://docs.ray.io/en/latest/serve/api/index.html#serve-rest-api
"""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from rehearsal.ports import HOST

APPLICATIONS = "/api/serve/applications/"
HEALTH = "/-/healthz"


@dataclass
class PlayedServe:
    """The applications of each Ray cluster, by the address of its head."""

    applications: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def answer(self, method: str, url: str, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:
        """The status and the content of the answer to a request."""
        place = urlsplit(url)
        if place.path == HEALTH:
            return HTTPStatus.OK, {}
        if place.path != APPLICATIONS:
            return HTTPStatus.NOT_FOUND, {}
        if method == "PUT":
            self.applications[place.netloc] = {
                each["name"]: _running(each) for each in json.loads(body)["applications"]
            }
        return HTTPStatus.OK, {"applications": self.applications.get(place.netloc, {})}


def _running(application: dict[str, Any]) -> dict[str, Any]:
    deployments = {each["name"]: {"status": "HEALTHY", "message": ""} for each in application.get("deployments", ())}
    return {"name": application["name"], "status": "RUNNING", "message": "", "deployments": deployments}


@contextmanager
def playing_ray_serve() -> Generator[str]:
    """Play it on a port of loopback for the block; yields the address of the proxy."""
    serve = PlayedServe()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            status, answer = serve.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the names that the base class calls

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="ray-serve")
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
