"""The way to the environment's cluster on AWS: EKS says where it is, IAM says who we are there."""

import os
import re
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes.client as kubernetes
import yaml
from botocore.exceptions import ClientError

from tasks.aws_session import caller_identity, client, explained_credentials
from tasks.eks_cluster import USABLE
from tasks.environment import REPOSITORY, Environment
from tasks.kubernetes import eks_token
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.faults import UnknownIdentity
from tasks.kubernetes.identity import ClusterAddress, ClusterIdentity, Destination

ADMINISTRATORS = "cluster_admin"
_ASSUMED = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/.+")


class NoCluster(Exception):
    """The environment's cluster cannot be used: says why, and what to do."""


@contextmanager
def open_environment_cluster(settings: Environment, outputs: Mapping[str, Any]) -> Generator[Destination]:
    """The environment's cluster, reached as its cluster administrators; a private kubeconfig exists for the block.

    `outputs` are those of the environment's Terraform root.

    Raises:
        NoCluster: there is no such cluster, it is not active, or it does not let us in.
        MissingCredentials: there are no AWS credentials, or AWS refuses them.
        ClusterFault: the cluster does not answer.
    """
    name, role = str(outputs["cluster"]["name"]), str(outputs["identity"]["role_arns"][ADMINISTRATORS])
    account, region = settings.environment.account_id, settings.environment.region
    assert account is not None and region is not None  # noqa: S101, PT018 - the model guarantees both on AWS
    address = _address(settings, name)
    identity = ClusterIdentity(settings.name.value, account, region, name)
    # Who has the role already may not take it on again: roles trust others than themselves.
    taken_on = None if _has_role(caller_identity(settings).arn, role) else role
    with tempfile.TemporaryDirectory(prefix="cluster-") as directory:
        kubeconfig, credential = Path(directory) / "kubeconfig", Path(directory) / "credential.json"
        # Made here first: the client would log what the plugin says, and go on as nobody.
        eks_token.keep_credential(credential, _credential(name, region, taken_on))
        _write_privately(kubeconfig, _kubeconfig(identity, address, taken_on, credential))
        _require_access(kubeconfig, name, role)
        yield Destination(kubeconfig, identity, address)


def _address(settings: Environment, name: str) -> ClusterAddress:
    eks = client("eks", settings)
    try:
        with explained_credentials():
            cluster = eks.describe_cluster(name=name)["cluster"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code == "ResourceNotFoundException":
            raise NoCluster(
                f"there is no EKS cluster {name!r} in {settings.environment.region!r}: run "
                f"provision/{settings.name.value}"
            ) from error
        if code in ("AccessDeniedException", "AccessDenied"):
            raise NoCluster(
                f"AWS does not say where the EKS cluster {name!r} is: {error}; the identity of the flows needs "
                "eks:DescribeCluster"
            ) from error
        raise
    if cluster["status"] not in USABLE:
        raise NoCluster(
            f"the EKS cluster {name!r} is {cluster['status']!r}, and must be ACTIVE: wait, or look at its health in "
            "the EKS console"
        )
    return ClusterAddress(cluster["endpoint"], cluster["certificateAuthority"]["data"])


def _has_role(caller: str, role: str) -> bool:
    assumed = _ASSUMED.fullmatch(caller)
    return assumed is not None and role.rpartition("/")[2] == assumed["role"] and f"::{assumed['account']}:" in role


def _credential(cluster: str, region: str, role: str | None) -> eks_token.Credential:
    try:
        return eks_token.new_credential(cluster, region, role)
    except eks_token.CannotSign as error:
        raise NoCluster(str(error)) from error


def _require_access(kubeconfig: Path, cluster: str, role: str) -> None:
    """Ask the cluster once what we may do, so that a rollout does not stop half-way for want of a right."""
    everything = {"verb": "*", "group": "*", "resource": "*"}
    review = {"spec": {"resourceAttributes": everything}}
    with open_connection(kubeconfig) as connection:
        ask = kubernetes.AuthorizationV1Api(connection.api).create_self_subject_access_review
        try:
            answer: Any = connection.read(f"ask what {role!r} may do", ask, review)
        except UnknownIdentity as error:
            raise NoCluster(
                f"the EKS cluster {cluster!r} does not know {role!r} (401): it has no access entry for that role; run "
                "provision, which makes it"
            ) from error
    if not answer.status.allowed:
        raise NoCluster(
            f"{role!r} may not do everything (verb '*' on '*', 403) in the EKS cluster {cluster!r}: its access entry "
            "needs the policy AmazonEKSClusterAdminPolicy for the whole cluster; run provision, which associates it"
        )


def _kubeconfig(identity: ClusterIdentity, address: ClusterAddress, role: str | None, keep: Path) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html, with our plugin for `aws`."""
    name = identity.cluster
    arguments = ["-m", eks_token.__name__, "--cluster", name, "--region", identity.region, "--keep", str(keep)]
    # Flows may run in directories of their own, and helm runs the plugin where the flow runs.
    search = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    plugin = {
        "apiVersion": eks_token.API_VERSION,
        "command": sys.executable,
        "args": [*arguments, *(("--role", role) if role else ())],
        "env": [{"name": "PYTHONPATH", "value": search}],
        "interactiveMode": "Never",
    }
    cluster = {"server": address.endpoint, "certificate-authority-data": address.certificate_authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"exec": plugin}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def _write_privately(path: Path, document: Mapping[str, Any]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump(dict(document), file)
