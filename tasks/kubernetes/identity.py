"""Which cluster a kubeconfig leads to: compared with the environment's before anything is changed."""

import base64
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kubernetes import client

from tasks.kubernetes.connection import FIELD_MANAGER, Connection
from tasks.kubernetes.faults import ObjectMissing

# The cluster itself says whose it is: an address can be moved, and a copied kubeconfig looks like the original.
MARK_NAMESPACE = "kube-system"
MARK_NAME = "agentic-eks-environment"


class WrongCluster(Exception):
    """The kubeconfig leads to another cluster than the environment's: says to which, and to which it should."""


@dataclass(frozen=True)
class ClusterIdentity:
    """Whose cluster it is."""

    environment: str
    account_id: str
    region: str
    cluster: str


@dataclass(frozen=True)
class ClusterAddress:
    """Where the cluster answers, as EKS tells it: `certificate_authority` is base64 of PEM."""

    endpoint: str
    certificate_authority: str


@dataclass(frozen=True)
class Destination:
    """The environment's cluster: the file that leads there, and how it is told from others."""

    kubeconfig: Path
    identity: ClusterIdentity
    address: ClusterAddress


def require_cluster(connection: Connection, identity: ClusterIdentity, address: ClusterAddress) -> None:
    """Refuse a cluster that is not the environment's. One that nobody marked yet is marked when its address is right.

    Raises:
        WrongCluster: the cluster says that it is another one, or it says nothing and its address differs.
        ClusterFault: the API refuses or does not answer.
    """
    if not recognise_cluster(connection, identity, address):
        mark_cluster(connection, identity)


def recognise_cluster(connection: Connection, identity: ClusterIdentity, address: ClusterAddress) -> bool:
    """As `require_cluster` for who changes nothing; whether somebody marked the cluster.

    Raises:
        WrongCluster, ClusterFault: as for `require_cluster`.
    """
    found = read_mark(connection)
    wanted = asdict(identity)
    if found is not None:
        different = [
            f"{key} is {found.get(key)!r}, not {value!r}" for key, value in wanted.items() if found.get(key) != value
        ]
        if different:
            raise WrongCluster(
                f"the kubeconfig {connection.kubeconfig} leads to another cluster at {connection.server}: its "
                f"{'; its '.join(different)}. Nothing was changed; look at the ConfigMap {MARK_NAME!r} in "
                f"{MARK_NAMESPACE!r}, which says whose cluster it is"
            )
        return True
    authority = base64.b64decode(address.certificate_authority).decode("ascii")
    if connection.server.rstrip("/") != address.endpoint.rstrip("/"):
        raise WrongCluster(
            f"the kubeconfig {connection.kubeconfig} leads to {connection.server}, but the cluster of "
            f"{identity.environment!r} answers at {address.endpoint}. {_unmarked(identity)}"
        )
    if connection.certificate_authority.strip() != authority.strip():
        raise WrongCluster(
            f"the kubeconfig {connection.kubeconfig} has another certificate authority for {connection.server} than "
            f"the cluster of {identity.environment!r}. {_unmarked(identity)}"
        )
    return False


def _unmarked(identity: ClusterIdentity) -> str:
    return (
        f"Nothing was changed; no ConfigMap {MARK_NAME!r} in {MARK_NAMESPACE!r} says whose cluster it is, so look at "
        f"what `aws eks describe-cluster --name {identity.cluster}` says of it"
    )


def mark_cluster(connection: Connection, identity: ClusterIdentity) -> None:
    """Write into the cluster whose it is."""
    connection.call(
        f"mark the cluster as {identity.environment!r}",
        client.CoreV1Api(connection.api).create_namespaced_config_map,
        MARK_NAMESPACE,
        {"metadata": {"name": MARK_NAME}, "data": asdict(identity)},
        field_manager=FIELD_MANAGER,
    )


def read_mark(connection: Connection) -> dict[str, str] | None:
    """What the cluster says of itself, or None when nobody marked it."""
    read = client.CoreV1Api(connection.api).read_namespaced_config_map
    try:
        mark: Any = connection.read("read whose cluster it is", read, MARK_NAME, MARK_NAMESPACE)
    except ObjectMissing:
        return None
    return mark.data or {}
