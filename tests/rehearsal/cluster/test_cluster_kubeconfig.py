import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.cluster import Cluster
from rehearsal.cluster.api import KubernetesApi, Refused
from rehearsal.cluster.kubeconfig import UnusableKubeconfig, read_kubeconfig
from tests.rehearsal.cluster.workloads import namespace


def kubeconfig(path: Path, cluster: dict[str, Any], user: dict[str, Any], context: str = "there") -> Path:
    document = {
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "there", "context": {"cluster": "cluster", "user": "user"}}],
        "current-context": context,
    }
    path.write_text(yaml.safe_dump(document))
    return path


def credentials_by(code: str) -> dict[str, Any]:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": ["-c", code]}}


@pytest.mark.kubernetes
def test_a_command_may_give_the_credentials_as_on_eks(kubernetes_cluster: Cluster, tmp_path: Path) -> None:
    where = namespace(kubernetes_cluster)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{where}/serviceaccounts/default/token"
    token = kubernetes_cluster.api.create(path, request)["status"]["token"]
    answer = json.dumps({"status": {"token": token}})
    (cluster,) = yaml.safe_load(kubernetes_cluster.kubeconfig.read_text())["clusters"]

    api = KubernetesApi(kubeconfig(tmp_path / "config", cluster["cluster"], credentials_by(f"print({answer!r})")))

    with pytest.raises(Refused, match=f"system:serviceaccount:{where}:default.*cannot list resource"):
        api.list("/api/v1/nodes")
    api.close()


def test_files_may_be_named_beside_the_kubeconfig(tmp_path: Path) -> None:
    for name in ("ca.crt", "user.crt", "user.key"):
        (tmp_path / name).write_text(name)
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": "ca.crt"}
    user = {"client-certificate": "user.crt", "client-key": "user.key"}

    access = read_kubeconfig(kubeconfig(tmp_path / "config", cluster, user))

    assert (access.authority, access.certificate, access.key) == ("ca.crt", "user.crt", "user.key")
    assert access.token is None


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", {"server": "https://127.0.0.1:1"}, {}, context="elsewhere")

    with pytest.raises(
        UnusableKubeconfig, match="no context 'elsewhere': choose one with `kubectl config use-context`"
    ):
        read_kubeconfig(path)


def test_a_command_that_fails_is_quoted(tmp_path: Path) -> None:
    user = credentials_by("raise SystemExit('log in first')")

    with pytest.raises(UnusableKubeconfig, match=r"ended with 1: log in first"):
        read_kubeconfig(kubeconfig(tmp_path / "config", {"server": "https://127.0.0.1:1"}, user))
