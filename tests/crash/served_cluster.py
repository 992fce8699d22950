"""A cluster in which a version of the agent service runs; the API server, helm and Prefect's server are real.

Its pods run nothing: whom requests would reach is read from what the API server says of them.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.aws import EmulatedAws
from rehearsal.cluster import Cluster
from tasks.agent_service.cluster_release import RELEASE, AgentsRelease
from tasks.environment import EnvironmentName
from tasks.helm.records import DEPLOYED, ReleaseRecord, read_records
from tasks.kubernetes.connection import open_connection
from tasks.released_images import load_images
from tasks.saved_block import find_block
from tests.crash.children import ended, in_checkout, start_child
from tests.crash.endpoints import Endpoints
from tests.crash.faults import Case
from tests.flows.conftest import checked_out
from tests.flows.rollout.agents_stage import DEPLOYMENTS, RECORD, keep_agents_only, prepared_for_agents, push, serving

AGENTS = "/namespaces/agents"
# Of each version the chart makes one.
KINDS = (DEPLOYMENTS, f"/api/v1{AGENTS}/services", f"/apis/policy/v1{AGENTS}/poddisruptionbudgets")
CONFIG_MAPS = f"/api/v1{AGENTS}/configmaps"
INGRESSES = f"/apis/networking.k8s.io/v1{AGENTS}/ingresses"


@dataclass(frozen=True)
class ServedCluster:
    """A cluster that runs one of `versions`, both of which the registry has, as well as `refused`."""

    cluster: Cluster
    versions: tuple[str, str]
    refused: str
    checkout: Path
    api_url: str

    @property
    def served(self) -> str:
        """The digest of the version that runs."""
        return serving(self.cluster)["agents"]

    def release(self, version: str, case: Case | None = None) -> tuple[int, str]:
        """Run the flow in a process of its own; returns its exit code and output."""
        return ended(self.start(version, case), case)

    def start(self, version: str, case: Case | None = None) -> "subprocess.Popen[str]":
        """The process of the flow."""
        environ = in_checkout(self.checkout, self.api_url)
        return start_child("agents in a cluster", case, environ, cwd=self.checkout, given={"version": version})

    def record(self) -> ReleaseRecord:
        """What Helm has recorded of the release, which is the only one."""
        with open_connection(self.cluster.kubeconfig) as connection:
            (record,) = read_records(connection, RELEASE[1]).values()
        return record

    def endpoints(self) -> Endpoints:
        """Somebody who looks whom requests would reach, while the block lasts."""
        return Endpoints(self.cluster.kubeconfig)

    def assert_only(self, version: str) -> None:
        """Only this version is in the cluster, people are led to it, and what Prefect holds names it."""
        assert serving(self.cluster) == {"agents": version}
        assert {kind: self._named(kind) for kind in KINDS} == {kind: {"agents"} for kind in KINDS}
        pods = self.cluster.api.get(f"{DEPLOYMENTS}/agents")["spec"]["template"]["spec"]
        (settings,) = (each["configMap"]["name"] for each in pods["volumes"] if each["name"] == "settings")
        assert self._named(CONFIG_MAPS) == {settings}
        assert self._led_to() == {"agents", "not-there"}
        record = self.record()
        assert (record.status, record.deployed_revision) == (DEPLOYED, record.revision)
        recorded = find_block(AgentsRelease, RECORD)
        assert recorded is not None
        assert recorded.image.endswith(f"@{version}")
        assert load_images(EnvironmentName.DEV)["agents"] == recorded.image

    def _named(self, kind: str) -> set[str]:
        """The objects of a kind that belong to a version: the web search has some, too."""
        names = {each["metadata"]["name"] for each in self.cluster.api.list(kind)}
        return {name for name in names if name.startswith("agents")}

    def _led_to(self) -> set[str]:
        return {
            path["backend"]["service"]["name"]
            for ingress in self.cluster.api.list(INGRESSES)
            for rule in ingress["spec"]["rules"]
            for path in rule["http"]["paths"]
        }


@pytest.fixture(scope="module")
def served_cluster(
    tmp_path_factory: pytest.TempPathFactory,
    prefect_server: str,
    emulated_aws: EmulatedAws,
    graviton_cluster: Cluster,
) -> Iterator[ServedCluster]:
    """A cluster in which the first of two versions was released."""
    checkout = checked_out(tmp_path_factory.mktemp("released") / "checkout")
    keep_agents_only(checkout)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in emulated_aws.environment.items():
            patch.setenv(name, value)
        with prepared_for_agents(emulated_aws, graviton_cluster):
            versions = (push("first", "1b3d"), push("second", "4f2c"))
            served = ServedCluster(graviton_cluster, versions, push("refused", "9e9e"), checkout, prefect_server)
            code, output = served.release(versions[0])
            assert code == 0, output
            yield served
