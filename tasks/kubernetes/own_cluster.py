"""The cluster that a flow works in, from inside as the service account of its pod, from elsewhere as EKS lets us in."""

import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tasks.environment import Environment
from tasks.kubernetes.connection import Connection, open_connection
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.identity import require_cluster

# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@contextmanager
def open_own_cluster(
    settings: Environment, outputs: Mapping[str, Any], service_account: Path = SERVICE_ACCOUNT
) -> Generator[Connection]:
    """Connect to the environment's cluster, with the rights of this pod where this is one.

    Raises:
        NoCluster, WrongCluster, MissingCredentials: as `open_environment_cluster` and `require_cluster`.
        ClusterFault: the cluster does not answer.
    """
    if (service_account / "token").is_file():
        with _service_account_kubeconfig(service_account) as kubeconfig, open_connection(kubeconfig) as connection:
            yield connection
        return
    with (
        open_environment_cluster(settings, outputs) as destination,
        open_connection(destination.kubeconfig) as connection,
    ):
        require_cluster(connection, destination.identity, destination.address)
        yield connection


@contextmanager
def _service_account_kubeconfig(service_account: Path) -> Generator[Path]:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    address = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    cluster = {"server": address, "certificate-authority": str(service_account / "ca.crt")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "own", "cluster": cluster}],
        "users": [{"name": "own", "user": {"tokenFile": str(service_account / "token")}}],
        "contexts": [{"name": "own", "context": {"cluster": "own", "user": "own"}}],
        "current-context": "own",
    }
    with tempfile.TemporaryDirectory(prefix="cluster-") as directory:
        kubeconfig = Path(directory) / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(document), encoding="utf-8")
        yield kubeconfig
