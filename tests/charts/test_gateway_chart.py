"""The gateway's chart: a container whose database password was renewed is not alive any more, and starts again."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tasks.environment import EnvironmentName
from tasks.gateway.configuration import HEALTH_PATH
from tasks.helm.rendering import Manifest
from tasks.helm.workload_findings import workload_findings
from tests.charts.own_charts import of_kind, rendered, sample_outputs

AT_THE_START = {"DATABASE_USERNAME": "litellm", "DATABASE_PASSWORD": "of-last-week"}


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    return rendered("gateway", EnvironmentName.PROD)


@pytest.fixture
def litellm() -> Iterator[ThreadingHTTPServer]:
    """What answers as long as LiteLLM runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == HEALTH_PATH else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def container(manifests: list[Manifest]) -> Any:
    (only,) = of_kind(manifests, "Deployment")["litellm"]["spec"]["template"]["spec"]["containers"]
    return only


def probe(manifests: list[Manifest], directory: Path, port: int) -> "subprocess.CompletedProcess[str]":
    """Run the rendered liveness probe as the container would, with its files below `directory`."""
    script = directory / "alive.py"
    script.write_text(of_kind(manifests, "ConfigMap")["litellm"]["data"]["alive.py"], encoding="utf-8")
    _, _, asked, mounted = container(manifests)["livenessProbe"]["exec"]["command"]
    places = {asked: str(port), mounted: str(directory / "secret")}
    return subprocess.run(
        [sys.executable, str(script), *places.values()],
        env={**os.environ, **AT_THE_START},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_renewed_password_of_the_database_starts_the_container_again(
    manifests: list[Manifest], litellm: ThreadingHTTPServer, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    for name, value in AT_THE_START.items():
        (secret / name).write_text(value, encoding="utf-8")
    alive = probe(manifests, tmp_path, litellm.server_port)
    assert alive.returncode == 0, alive.stderr

    (secret / "DATABASE_PASSWORD").write_text("of-this-week", encoding="utf-8")
    renewed = probe(manifests, tmp_path, litellm.server_port)

    assert renewed.returncode == 1
    assert "DATABASE_PASSWORD was renewed since LiteLLM started" in renewed.stderr
    assert "week" not in renewed.stderr, "the kubelet writes into an event what a probe says"


def test_the_probe_finds_what_it_compares(manifests: list[Manifest]) -> None:
    pod = of_kind(manifests, "Deployment")["litellm"]["spec"]["template"]["spec"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container(manifests)["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    program, script, port, mounted = container(manifests)["livenessProbe"]["exec"]["command"]
    assert (program, port) == ("python", str(container(manifests)["ports"][0]["containerPort"]))
    assert volumes[mounts[mounted]]["secret"]["secretName"] == "litellm"
    assert volumes[mounts[str(Path(script).parent)]]["configMap"]["name"] == "litellm"
    secret = of_kind(manifests, "ExternalSecret")["litellm"]["spec"]
    assert AT_THE_START.keys() <= {each["secretKey"] for each in secret["data"]}
    assert secret["refreshInterval"] == "5m"
    assert list(workload_findings(manifests)) == []


def test_without_a_database_only_liveness_is_asked_for() -> None:
    data = {**sample_outputs(EnvironmentName.PROD)["data"], "postgres": {}}
    alone = container(rendered("gateway", EnvironmentName.PROD, facts={"data": data}))
    assert alone["livenessProbe"]["httpGet"]["path"] == HEALTH_PATH
    assert "/etc/litellm-secret" not in {mount["mountPath"] for mount in alone["volumeMounts"]}
