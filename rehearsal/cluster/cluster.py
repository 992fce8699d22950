"""Starts a whole Kubernetes cluster on loopback, and stops it again."""

import os
import tempfile
from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from rehearsal.cluster.api import KubernetesApi
from rehearsal.cluster.builds import built, why_not_built
from rehearsal.cluster.certificates import Authority
from rehearsal.cluster.control_plane import ControlPlane, Ports
from rehearsal.cluster.kubeconfig import read_kubeconfig
from rehearsal.cluster.processes import running, wait_until
from rehearsal.cluster.programs import CONTROL_PLANE, KWOK, SOURCES
from rehearsal.cluster.simulated_nodes import SimulatedNode, kwok
from rehearsal.ports import HOST, free_port

# The variable of the Kubernetes project's own test tools for a directory with ready-made programs.
ASSETS = "KUBEBUILDER_ASSETS"
_OWN_PROGRAMS = (CONTROL_PLANE, KWOK)


@dataclass(frozen=True)
class Cluster:
    """A cluster that exists until its context ends; `directory` has the logs of its processes.

    `authority` is the certificate (PEM) of who signs the API server's; on `authenticator_port` of loopback something
    may listen that knows tokens which the API server does not know itself; None where the API server does not ask.
    """

    kubeconfig: Path
    address: str
    directory: Path
    api: KubernetesApi
    authority: str
    authenticator_port: int | None

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that take kubectl, helm and clients there, and nowhere else."""
        return {"KUBECONFIG": str(self.kubeconfig)}

    def add_nodes(self, nodes: Iterable[SimulatedNode]) -> None:
        """Add simulated nodes; they are ready a moment later."""
        for node in nodes:
            self.api.apply(node.document)
            self.api.set_status(node.document)


def why_no_cluster() -> str | None:
    """What this machine lacks to run a cluster with its controllers; None when nothing."""
    ready_made = [source for source in _OWN_PROGRAMS if not source.packages.keys() - _assets().keys()]
    needed = (source for source in SOURCES if source not in ready_made)
    return next((reason for source in needed if (reason := why_not_built(source))), None)


@contextmanager
def running_cluster() -> Generator[Cluster]:
    """Run an empty cluster on loopback for the block; several may run side by side.

    Its programs are built when this is the first time. Those that are in the directory KUBEBUILDER_ASSETS are taken
    from there.

    Raises:
        CannotBuild: a program is missing and cannot be built.
        ClusterFailed: a process of the cluster is not ready in time.
    """
    programs = _programs()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cluster-")))
        etcd_port, peer_port, api_port, authenticator_port, kwok_port = (free_port() for _ in range(5))
        authority = Authority(directory / "certificates")
        plane = ControlPlane(directory, programs, Ports(etcd_port, peer_port, api_port, authenticator_port), authority)
        signing_key = authority.signing_key("service-accounts")
        admin = plane.kubeconfig("admin", "system:masters")
        api = stack.enter_context(closing(KubernetesApi(admin)))
        etcd = stack.enter_context(running(plane.etcd(), directory))
        api_server = stack.enter_context(running(plane.api_server(signing_key), directory))
        wait_until(api.is_ready, etcd, api_server)
        others = [
            stack.enter_context(running(command, directory))
            for command in (
                plane.controller_manager(signing_key),
                plane.scheduler(),
                kwok(programs["kwok"], admin, kwok_port),
            )
        ]
        # Pods are refused until the controller manager has made the account that they run as.
        wait_until(lambda: api.exists("/api/v1/namespaces/default/serviceaccounts/default"), *others)
        wait_until(lambda: answers(f"http://{HOST}:{kwok_port}/healthz"), *others)
        pem = authority.certificate.read_text(encoding="ascii")
        yield Cluster(admin, plane.address, directory, api, pem, authenticator_port)


@contextmanager
def existing_cluster(kubeconfig: Path) -> Generator[Cluster]:
    """Use a cluster that is there already, such as one of kind or EKS; nothing of it is started or stopped."""
    with (
        closing(KubernetesApi(kubeconfig)) as api,
        tempfile.TemporaryDirectory(prefix="cluster-") as directory,
    ):
        authority = read_kubeconfig(kubeconfig).authority or ""
        yield Cluster(kubeconfig, api.address, Path(directory), api, authority, None)


def answers(address: str) -> bool:
    """Whether a server says at `address` that it is well."""
    try:
        return httpx.get(address, timeout=30, trust_env=False).is_success
    except httpx.TransportError:
        return False  # nothing listens yet


def _programs() -> dict[str, Path]:
    ready_made = _assets()
    programs: dict[str, Path] = {}
    for source in _OWN_PROGRAMS:
        missing = source.packages.keys() - ready_made.keys()
        programs |= built(source).programs if missing else {}
    return programs | ready_made


def _assets() -> dict[str, Path]:
    directory = os.environ.get(ASSETS)
    return {path.name: path for path in Path(directory).iterdir()} if directory else {}
