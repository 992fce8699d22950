"""A cluster that is marked as dev's, and a repository whose releases are rolled out to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rehearsal.cluster import Cluster
from tasks.environment import Environment
from tasks.environment.variable_file import load_environment
from tasks.helm.records import ReleaseRecord, read_records
from tasks.helm.releases_file import STAGES, Stage
from tasks.helm.rollout import ReleaseResult
from tasks.helm.stage import PlannedRelease, plan_releases, roll_out_releases
from tasks.kubernetes.connection import Connection, open_connection
from tasks.kubernetes.identity import MARK_NAME, ClusterAddress, ClusterIdentity, Destination, mark_cluster
from tests.tasks.helm.described_releases import DescribedReleases

IDENTITY = ClusterIdentity("dev", "111122223333", "us-east-1", "agentic-eks-dev")
NOWHERE = ClusterAddress("https://cluster.example.com", "")
MARK = f"/api/v1/namespaces/kube-system/configmaps/{MARK_NAME}"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass
class Rollout:
    """Rolls `described` out; `lines` is what the run's log would have."""

    described: DescribedReleases
    cluster: Cluster
    connection: Connection
    settings: Environment
    kubeconfig: Path
    lines: list[str] = field(default_factory=list[str])

    def run(self, stage: Stage = "addons") -> dict[str, ReleaseResult]:
        results = roll_out_releases(self.settings, {}, self._destination, self.described.sources, self.say, stage)
        return {result.name: result for result in results}

    def plan(self, stage: Stage = "addons") -> dict[str, PlannedRelease]:
        planned = plan_releases(self.settings, {}, self._destination, self.described.sources, self.say, stage)
        return {release.name: release for release in planned}

    def say(self, line: str) -> None:
        self.lines.append(line)

    def record(self, name: str, namespace: str = "default") -> ReleaseRecord | None:
        return read_records(self.connection, name).get((namespace, name))

    @property
    def _destination(self) -> Destination:
        return Destination(self.kubeconfig, IDENTITY, NOWHERE)


@pytest.fixture
def dev() -> Environment:
    return load_environment("dev")


@pytest.fixture
def described(tmp_path: Path) -> DescribedReleases:
    described = DescribedReleases(tmp_path / "repository")
    described.write()
    return described


@pytest.fixture
def connection(kubernetes_cluster: Cluster) -> Iterator[Connection]:
    with open_connection(kubernetes_cluster.kubeconfig) as connection:
        yield connection


@pytest.fixture
def rollout(
    kubernetes_cluster: Cluster, connection: Connection, described: DescribedReleases, dev: Environment
) -> Iterator[Rollout]:
    """Everything that the test rolled out is gone afterwards, with the CRDs, which no rollout removes."""
    mark_cluster(connection, IDENTITY)
    rollout = Rollout(described, kubernetes_cluster, connection, dev, kubernetes_cluster.kubeconfig)
    yield rollout
    described.releases.clear()
    described.write()
    rollout.kubeconfig = kubernetes_cluster.kubeconfig
    empty = Rollout(
        DescribedReleases(described.directory / "empty"), kubernetes_cluster, connection, dev, rollout.kubeconfig
    )
    empty.described.write()
    removed = {name: result for stage in STAGES for name, result in empty.run(stage).items()}
    kubernetes_cluster.api.delete(MARK)
    for definition in kubernetes_cluster.api.list(DEFINITIONS):
        if definition["spec"]["group"] == "example.com":
            kubernetes_cluster.api.delete(f"{DEFINITIONS}/{definition['metadata']['name']}")
    assert all(result.action == "removed" for result in removed.values()), removed
