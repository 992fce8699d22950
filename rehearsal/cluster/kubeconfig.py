"""The file by which clients find a cluster and prove who they are.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/; the official client reads it, too, but takes seconds to
import, and every run of the tests asks whether a cluster can be started.
"""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rehearsal.cluster.certificates import Credentials

_CREDENTIALS_WITHIN_SECONDS = 60


class UnusableKubeconfig(Exception):
    """A kubeconfig does not lead to a cluster; says what it lacks."""


@dataclass(frozen=True)
class Access:
    """Where a cluster is and who asks: a certificate with its key (PEM), or a token."""

    server: str
    authority: str | None
    certificate: str | None
    key: str | None
    token: str | None


def read_kubeconfig(path: Path) -> Access:
    """What the current context of a kubeconfig says; a command that it names for credentials is run.

    Raises:
        UnusableKubeconfig: the context, its cluster or its user is missing, or the command fails.
        OSError: the file, or one that it names, cannot be read.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    context = _named(document, "context", document.get("current-context"), path)
    cluster = _named(document, "cluster", context.get("cluster"), path)
    user = _named(document, "user", context.get("user"), path)
    token = _token_of(user["exec"], path) if "exec" in user else user.get("token")
    return Access(
        server=cluster["server"],
        authority=_content(cluster, "certificate-authority", path),
        certificate=_content(user, "client-certificate", path),
        key=_content(user, "client-key", path),
        token=token,
    )


def _named(document: dict[str, Any], kind: str, name: str | None, path: Path) -> dict[str, Any]:
    for entry in document.get(f"{kind}s") or ():
        if entry["name"] == name:
            return entry[kind]
    raise UnusableKubeconfig(f"{path} has no {kind} {name!r}: choose one with `kubectl config use-context`")


def _content(section: dict[str, Any], name: str, path: Path) -> str | None:
    if f"{name}-data" in section:
        return base64.b64decode(section[f"{name}-data"]).decode()
    return (path.parent / section[name]).read_text(encoding="utf-8") if name in section else None


def _token_of(plugin: dict[str, Any], path: Path) -> str:
    """https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"""
    command = [plugin["command"], *(plugin.get("args") or ())]
    variables = {entry["name"]: entry["value"] for entry in plugin.get("env") or ()}
    request = json.dumps({"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}})
    answer = subprocess.run(
        command,
        env={**os.environ, **variables, "KUBERNETES_EXEC_INFO": request},
        capture_output=True,
        text=True,
        check=False,
        timeout=_CREDENTIALS_WITHIN_SECONDS,
    )
    if answer.returncode:
        raise UnusableKubeconfig(
            f"the command {command!r} that {path} names for credentials ended with {answer.returncode}: {answer.stderr}"
        )
    return json.loads(answer.stdout)["status"]["token"]


def write_kubeconfig(path: Path, cluster: str, address: str, authority: Path, user: Credentials) -> Path:
    """Write a kubeconfig for one user of one cluster; everything is inside, so that the file can be moved."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": cluster, "cluster": {"server": address, "certificate-authority-data": _encoded(authority)}}
        ],
        "users": [
            {
                "name": "user",
                "user": {
                    "client-certificate-data": _encoded(user.certificate),
                    "client-key-data": _encoded(user.key),
                },
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": "user"}}],
        "current-context": cluster,
    }
    return _written(path, document)


def write_webhook_configuration(path: Path, address: str) -> Path:
    """Write the kubeconfig by which an API server finds a webhook on loopback, where neither side has a certificate."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "webhook", "cluster": {"server": address}}],
        "users": [{"name": "api-server", "user": {}}],
        "contexts": [{"name": "webhook", "context": {"cluster": "webhook", "user": "api-server"}}],
        "current-context": "webhook",
    }
    return _written(path, document)


def _written(path: Path, document: Mapping[str, Any]) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump(dict(document), file)
    return path


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
