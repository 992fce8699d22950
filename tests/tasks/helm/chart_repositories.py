"""Chart repositories on loopback: one with an index, and a container registry, each with one of the charts here."""

import functools
import hashlib
import json
import ssl
import subprocess
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rehearsal.cluster.certificates import Authority
from tasks.helm.charts import file_digest
from tasks.helm.command import Helm
from tests.tasks.helm.described_releases import CHARTS

HOST = "127.0.0.1"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# https://helm.sh/docs/topics/registries/#helm-chart-manifest
CONFIG = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
VERSION = "1.0.0"


@contextmanager
def chart_repository_of(name: str, directory: Path, helm: Helm) -> Generator[dict[str, Any]]:
    """Serve one chart from a repository with an index; yields the keys of a chart that comes from there."""
    archive = _packaged(name, directory, helm)
    subprocess.run([str(helm.program), "repo", "index", str(directory)], check=True, capture_output=True)
    with _served(functools.partial(_Files, directory=str(directory))) as port:
        yield {"source": "https", "repository": f"http://{HOST}:{port}", **_keys(name, archive)}


@contextmanager
def chart_registry_of(name: str, directory: Path, helm: Helm) -> Generator[tuple[dict[str, Any], dict[str, str]]]:
    """Serve one chart from a container registry: the keys of the chart, and the environment that makes helm trust it.

    It answers what pulling needs of https://github.com/opencontainers/distribution-spec.
    """
    archive = _packaged(name, directory, helm)
    contents = {_digest(content): content for content in (b"{}", archive.read_bytes())}
    layers = [
        {"mediaType": kind, "digest": digest, "size": len(content)}
        for kind, (digest, content) in zip((CONFIG, CONTENT), contents.items(), strict=True)
    ]
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": layers[0], "layers": layers[1:]}
    ).encode()
    answers = {
        "/v2/": ("application/json", b"{}"),
        f"/v2/charts/{name}/tags/list": ("application/json", json.dumps({"tags": [VERSION]}).encode()),
        **{f"/v2/charts/{name}/manifests/{tag}": (MANIFEST, manifest) for tag in (VERSION, _digest(manifest))},
        **{
            f"/v2/charts/{name}/blobs/{digest}": ("application/octet-stream", content)
            for digest, content in contents.items()
        },
    }
    authority = Authority(directory / "certificates")
    credentials = authority.issue("registry", addresses=[HOST])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(credentials.certificate, credentials.key)
    with _served(_answering(answers), context) as port:
        trust = {"SSL_CERT_FILE": str(authority.certificate)}
        yield {"source": "oci", "repository": f"oci://{HOST}:{port}/charts", **_keys(name, archive)}, trust


def _packaged(name: str, directory: Path, helm: Helm) -> Path:
    directory.mkdir(exist_ok=True)
    command = [str(helm.program), "package", str(CHARTS / name), "-d", str(directory)]
    subprocess.run(command, check=True, capture_output=True)
    (archive,) = directory.glob("*.tgz")
    return archive


def _keys(name: str, archive: Path) -> dict[str, Any]:
    return {"name": name, "version": VERSION, "digest": file_digest(archive)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextmanager
def _served(handler: Any, context: ssl.SSLContext | None = None) -> Generator[int]:
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _answering(answers: Mapping[str, tuple[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(self._head())

        def do_HEAD(self) -> None:
            self._head()

        def _head(self) -> bytes:
            kind, body = answers.get(self.path, ("application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}'))
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", _digest(body))
            self.end_headers()
            return body

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
