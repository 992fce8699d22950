"""A local HTTP server that speaks AWS's JSON protocols for APIs that no emulator has: a test writes each answer.

botocore is pointed at it by the environment variables of `ScriptedAws.environment`. Which operation a request is for
is found as AWS does: by the service it was signed for, and by the service's own model.
"""

import json
import re
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.session import Session

Parameters = dict[str, Any]
Answer = Mapping[str, Any] | Callable[[Parameters], Mapping[str, Any]]
# What a request is signed for, where that differs from the name of the client.
CLIENT_OF_SIGNATURE = {"servicequotas": "service-quotas", "sso": "sso-admin"}


class AwsError(Exception):
    """An answer that refuses, with AWS's error code."""

    def __init__(self, code: str, message: str = "refused by the script", status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class ScriptedAws:
    """`answers` holds what each operation answers: a document, or a function of the call's parameters."""

    address: str
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict[tuple[str, str], Answer])
    calls: list[tuple[str, str, Parameters]] = field(default_factory=list[tuple[str, str, Parameters]])

    def script(self, service: str, operation: str, answer: Answer) -> None:
        """From now on `operation` (such as `ListWorkspaces`) of `service` answers this."""
        self.answers[service, operation] = answer

    def refuse(self, service: str, operation: str, code: str) -> None:
        """From now on `operation` fails with this error code."""

        def refusal(_: Parameters) -> Mapping[str, Any]:
            raise AwsError(code)

        self.answers[service, operation] = refusal

    def calls_of(self, operation: str) -> list[Parameters]:
        """The parameters of each call of `operation`, oldest first."""
        return [parameters for _, called, parameters in self.calls if called == operation]

    def environment(self, *services: str) -> dict[str, str]:
        """The environment variables that point the clients of these services here."""
        return {f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}": self.address for service in services}

    def answer(self, service: str, operation: str, parameters: Parameters) -> Mapping[str, Any]:
        """What is answered to one call."""
        self.calls.append((service, operation, parameters))
        scripted = self.answers.get((service, operation))
        if scripted is None:
            raise AwsError("NotScripted", f"the test says nothing of {service}:{operation}")
        return scripted if isinstance(scripted, Mapping) else scripted(parameters)


@contextmanager
def scripted_aws() -> Generator[ScriptedAws]:
    """A server on a free port of loopback, which answers nothing yet."""

    class Handler(_Handler):
        def script(self) -> ScriptedAws:
            return aws

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    aws = ScriptedAws(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def script(self) -> ScriptedAws:
        raise NotImplementedError

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service, operation, parameters = self._call(body)
        try:
            status, document = 200, self.script().answer(service, operation, parameters)
        except AwsError as error:
            status, document = error.status, {"__type": error.code, "message": error.message}
        content = json.dumps(document, default=_timestamp).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status != 200:
            self.send_header("x-amzn-ErrorType", str(document["__type"]))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 - the names that the base class calls

    def _call(self, body: bytes) -> tuple[str, str, Parameters]:
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", self.headers["Authorization"])
        assert scope is not None
        service = CLIENT_OF_SIGNATURE.get(scope[1], scope[1])
        sent = cast(Parameters, json.loads(body)) if body else {}
        if "X-Amz-Target" in self.headers:
            return service, self.headers["X-Amz-Target"].rpartition(".")[2], sent
        place = urlsplit(self.path)
        for method, pattern, operation in _routes(service):
            found = pattern.fullmatch(place.path) if method == self.command else None
            if found:
                in_path = {name: unquote(value) for name, value in found.groupdict().items()}
                return service, operation, {**sent, **dict(parse_qsl(place.query)), **in_path}
        raise AssertionError(f"{service} has no operation {self.command} {self.path}")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Method, path and name of the operations of a REST service."""
    model: Any = Session().get_service_model(service)
    routes: list[tuple[str, re.Pattern[str], str]] = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].partition("?")[0]
        routes.append((http["method"], re.compile(re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", path)), name))
    return routes


def _timestamp(value: object) -> float:
    assert isinstance(value, datetime)
    return value.timestamp()
