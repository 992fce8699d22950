"""A kubeconfig that cannot be used, and an API that never answers."""

from pathlib import Path

import pytest
import yaml
from kubernetes import client

from tasks.kubernetes.connection import NoKubeconfig, open_connection
from tasks.kubernetes.faults import ApiAway
from tests.ports import free_port


def test_a_kubeconfig_without_a_context_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("apiVersion: v1\nkind: Config\n", encoding="utf-8")
    with pytest.raises(NoKubeconfig, match=r"the kubeconfig .*config cannot be used"), open_connection(path):
        pass


def test_an_api_that_does_not_answer_is_named(tmp_path: Path) -> None:
    path, address = tmp_path / "config", f"http://127.0.0.1:{free_port()}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with (
        open_connection(path) as connection,
        pytest.raises(ApiAway, match=f"ask for the version: the Kubernetes API at {address} does not answer"),
    ):
        connection.call("ask for the version", client.VersionApi(connection.api).get_code)
