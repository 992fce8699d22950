"""The commands of a Kubernetes control plane on loopback: etcd, API server, controller manager, scheduler."""

from dataclasses import dataclass
from pathlib import Path

from rehearsal.cluster.certificates import Authority, Credentials
from rehearsal.cluster.kubeconfig import write_kubeconfig, write_webhook_configuration
from rehearsal.cluster.processes import Command
from rehearsal.ports import HOST

SERVICE_RANGE = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
ISSUER = "https://kubernetes.default.svc.cluster.local"
# Kubernetes 1.35 has it as a beta that is off by default; the rehearsal swaps the node class with it.
FEATURES = "MutatingAdmissionPolicy=true"
API_VERSIONS = "admissionregistration.k8s.io/v1beta1=true"


@dataclass(frozen=True)
class Ports:
    """Where the servers listen."""

    etcd: int
    etcd_peers: int
    api: int
    authenticator: int


@dataclass(frozen=True)
class ControlPlane:
    """One control plane: where it keeps its files, its programs by name, and its ports."""

    directory: Path
    programs: dict[str, Path]
    ports: Ports
    authority: Authority

    @property
    def address(self) -> str:
        """The API server's."""
        return f"https://{HOST}:{self.ports.api}"

    def kubeconfig(self, user: str, *groups: str) -> Path:
        """Write a kubeconfig for a user of the cluster."""
        credentials = self.authority.issue(user, groups)
        path = self.directory / f"{user.replace(':', '-')}.kubeconfig"
        return write_kubeconfig(path, "rehearsal", self.address, self.authority.certificate, credentials)

    def etcd(self) -> Command:
        """The store; what it holds may be lost with the machine, so it does not wait for the disk."""
        server = self._server("etcd")
        own = f"https://{HOST}:{self.ports.etcd}"
        peers = f"https://{HOST}:{self.ports.etcd_peers}"
        authority = self.authority.certificate
        return self._command(
            "etcd",
            name="rehearsal",
            data_dir=self.directory / "etcd",
            unsafe_no_fsync="true",
            listen_client_urls=own,
            advertise_client_urls=own,
            listen_peer_urls=peers,
            initial_advertise_peer_urls=peers,
            initial_cluster=f"rehearsal={peers}",
            client_cert_auth="true",
            trusted_ca_file=authority,
            cert_file=server.certificate,
            key_file=server.key,
            peer_client_cert_auth="true",
            peer_trusted_ca_file=authority,
            peer_cert_file=server.certificate,
            peer_key_file=server.key,
            log_level="warn",
        )

    def api_server(self, service_account_key: Path) -> Command:
        """The API server, with the admission and the authorization of a real one."""
        server = self._server("kube-apiserver")
        client = self.authority.issue("kube-apiserver-etcd-client")
        return self._command(
            "kube-apiserver",
            bind_address=HOST,
            advertise_address=HOST,
            secure_port=self.ports.api,
            # It would publish its own address, and a loopback one is refused.
            endpoint_reconciler_type="none",
            etcd_servers=f"https://{HOST}:{self.ports.etcd}",
            etcd_cafile=self.authority.certificate,
            etcd_certfile=client.certificate,
            etcd_keyfile=client.key,
            client_ca_file=self.authority.certificate,
            tls_cert_file=server.certificate,
            tls_private_key_file=server.key,
            authentication_token_webhook_config_file=self._authenticator(),
            authentication_token_webhook_version="v1",  # noqa: S106 - no password
            service_account_issuer=ISSUER,
            service_account_key_file=service_account_key,
            service_account_signing_key_file=service_account_key,
            service_cluster_ip_range=SERVICE_RANGE,
            authorization_mode="Node,RBAC",
            enable_admission_plugins="NodeRestriction",
            allow_privileged="true",
            anonymous_auth="false",
            profiling="false",
            feature_gates=FEATURES,
            runtime_config=API_VERSIONS,
        )

    def controller_manager(self, service_account_key: Path) -> Command:
        """The controllers of Deployments, Jobs, node health, garbage and so on; it serves nothing."""
        return self._command(
            "kube-controller-manager",
            kubeconfig=self.kubeconfig("system:kube-controller-manager"),
            secure_port=0,
            leader_elect="false",
            use_service_account_credentials="true",
            service_account_private_key_file=service_account_key,
            root_ca_file=self.authority.certificate,
            cluster_name="rehearsal",
            # By default it waits for itself: 20 calls a second are for a cluster that others use, too.
            kube_api_qps=500,
            kube_api_burst=1000,
        )

    def scheduler(self) -> Command:
        """The scheduler; it serves nothing."""
        return self._command(
            "kube-scheduler",
            kubeconfig=self.kubeconfig("system:kube-scheduler"),
            secure_port=0,
            leader_elect="false",
        )

    def _authenticator(self) -> Path:
        address = f"http://{HOST}:{self.ports.authenticator}/"
        return write_webhook_configuration(self.directory / "authenticator.kubeconfig", address)

    def _server(self, name: str) -> Credentials:
        names = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
        return self.authority.issue(name, names=names, addresses=(HOST, KUBERNETES_SERVICE))

    def _command(self, program: str, **options: object) -> Command:
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        return Command(program, self.programs[program], arguments)
