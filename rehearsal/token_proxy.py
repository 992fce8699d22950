"""Lets AWS identities into a cluster whose API server asks no authenticator of ours, such as one of kind.

The proxy knows a token as EKS does, and passes the request on in the name of its user:
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
"""

import json
import ssl
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from rehearsal.authenticator import Authenticator, NotAuthenticated, User
from rehearsal.cluster.api import trusting
from rehearsal.cluster.certificates import Authority
from rehearsal.cluster.kubeconfig import read_kubeconfig
from rehearsal.ports import HOST

CONNECT_SECONDS = 30
_NOT_PASSED_ON = frozenset({"authorization", "host", "connection", "transfer-encoding", "content-length"})


@dataclass(frozen=True)
class Place:
    """Where the proxy answers, and the certificate (PEM) of who signed its own."""

    address: str
    authority: str


@dataclass(frozen=True)
class Way:
    """The way to the API server, as whoever `token` (if any) or the client's certificate belongs to."""

    client: httpx.Client
    token: str | None
    authenticator: Authenticator
    users: dict[str, User]

    def user_of(self, token: str) -> User:
        """The user whose token it is; asked once, for a token is used for minutes.

        Raises:
            NotAuthenticated: as the authenticator.
        """
        if token not in self.users:
            self.users[token] = self.authenticator.user_of(token)
        return self.users[token]

    def headers(self, user: User) -> Iterator[tuple[str, str]]:
        """What makes a request one of `user`."""
        if self.token:
            yield "authorization", f"Bearer {self.token}"
        yield "impersonate-user", user.name
        yield from (("impersonate-group", group) for group in user.groups)


@contextmanager
def running_token_proxy(kubeconfig: Path, authenticator: Authenticator, directory: Path) -> Generator[Place]:
    """Run the proxy on loopback for the block; its certificate lies below `directory`."""
    authority = Authority(directory / "token-proxy")
    own = authority.issue("token-proxy", names=("localhost",), addresses=(HOST,))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.certificate, own.key)
    access = read_kubeconfig(kubeconfig)
    # A watch says nothing for as long as nothing happens.
    patience = httpx.Timeout(None, connect=CONNECT_SECONDS)
    with (
        httpx.Client(base_url=access.server, verify=trusting(access), timeout=patience, trust_env=False) as client,
        ThreadingHTTPServer((HOST, 0), _handler(Way(client, access.token, authenticator, {}))) as server,
    ):
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, name="token-proxy")
        thread.start()
        try:
            yield Place(f"https://{HOST}:{server.server_port}", authority.certificate.read_text(encoding="ascii"))
        finally:
            server.shutdown()
            thread.join()


def _handler(way: Way) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            try:
                user = way.user_of(self.headers.get("authorization", "").removeprefix("Bearer "))
            except NotAuthenticated as error:
                self._refuse(str(error))
                return
            kept = [(name, value) for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON]
            headers = [*kept, *way.headers(user)]
            with way.client.stream(self.command, self.path, content=body, headers=headers) as answer:
                self.send_response(answer.status_code)
                for name in ("content-type", "content-encoding", "warning"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for part in answer.iter_raw():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the parent names them so

        def _refuse(self, why: str) -> None:
            body = json.dumps({"kind": "Status", "apiVersion": "v1", "code": 401, "message": why}).encode()
            self.send_response(401)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
