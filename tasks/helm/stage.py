"""The rollout as the flows call it: from an environment to a table of releases."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from tasks.environment import Environment
from tasks.helm.charts import ChartAway
from tasks.helm.command import open_helm
from tasks.helm.derived_values import Outputs
from tasks.helm.differences import manifest_difference
from tasks.helm.preparation import (
    Content,
    Prepared,
    Sources,
    changed,
    described_releases,
    prepare,
    render_contents,
)
from tasks.helm.records import ReleaseKey, ReleaseRecord, read_records
from tasks.helm.releases_file import Stage
from tasks.helm.rollout import ReleaseResult, remove_all, roll_out, superfluous
from tasks.helm.upgrade import Target, deployed_manifests
from tasks.kubernetes.connection import Connection, open_connection
from tasks.kubernetes.identity import (
    ClusterAddress,
    ClusterIdentity,
    Destination,
    recognise_cluster,
    require_cluster,
)


@dataclass(frozen=True)
class PlannedRelease:
    """What a rollout would do to one release: `difference` is a unified diff of its objects, secrets hidden."""

    name: str
    action: str
    difference: str


@dataclass(frozen=True)
class _Situation:
    target: Target
    prepared: list[Prepared]
    contents: dict[str, Content | ChartAway]
    records: dict[ReleaseKey, ReleaseRecord]
    superfluous: list[ReleaseRecord]


def roll_out_releases(
    settings: Environment,
    outputs: Outputs,
    destination: Destination,
    sources: Sources,
    say: Callable[[str], None],
    stage: Stage,
) -> list[ReleaseResult]:
    """Bring the releases of `stage` to what the files describe, prove each, and remove what the files no longer have.

    Nothing is changed when an input is wrong. Nothing is removed when a release failed. The other stages' releases
    count as given, and stay.

    Raises:
        InvalidReleases: a file, chart or value is wrong.
        WrongCluster: the kubeconfig leads to another cluster.
        ClusterFault: the API refuses or does not answer.
    """
    with _situation(settings, outputs, destination, sources, say, stage, require_cluster) as now:
        results = roll_out(now.target, now.prepared, now.contents, now.records)
        if all(result.usable for result in results):
            results += remove_all(now.target, now.superfluous)
    return results


def plan_releases(
    settings: Environment,
    outputs: Outputs,
    destination: Destination,
    sources: Sources,
    say: Callable[[str], None],
    stage: Stage,
) -> list[PlannedRelease]:
    """Say what `roll_out_releases` would do, and change nothing.

    Raises:
        InvalidReleases, WrongCluster, ClusterFault: as for `roll_out_releases`.
    """
    with _situation(settings, outputs, destination, sources, say, stage, recognise_cluster) as now:
        planned = [_planned(now, item) for item in now.prepared]
        for record in now.superfluous:
            before = deployed_manifests(now.target.helm, record.name, record.namespace)
            planned.append(PlannedRelease(record.name, "remove", manifest_difference(before, [])))
    return planned


@contextmanager
def _situation(
    settings: Environment,
    outputs: Outputs,
    destination: Destination,
    sources: Sources,
    say: Callable[[str], None],
    stage: Stage,
    require_right: Callable[[Connection, ClusterIdentity, ClusterAddress], object],
) -> Generator[_Situation]:
    prepared = prepare(settings, outputs, sources, stage)
    described = described_releases(settings, sources)
    wanted = frozenset((release.namespace, name) for name, release in described.items())
    environment = settings.name.value
    with open_connection(destination.kubeconfig) as connection, open_helm(destination.kubeconfig) as helm:
        require_right(connection, destination.identity, destination.address)
        records = read_records(connection)
        version = _kubernetes_version(connection)
        contents = render_contents(changed(prepared, records), helm, version, sources.repository)
        leftovers = superfluous(environment, stage, wanted, records)
        yield _Situation(Target(connection, helm, environment, say), prepared, contents, records, leftovers)


def _planned(now: _Situation, item: Prepared) -> PlannedRelease:
    content = now.contents.get(item.name)
    if content is None:
        return PlannedRelease(item.name, "unchanged", "")
    if isinstance(content, ChartAway):
        return PlannedRelease(item.name, "chart away", str(content))
    if item.key not in now.records:
        return PlannedRelease(item.name, "install", manifest_difference([], content.manifests))
    before = deployed_manifests(now.target.helm, item.name, item.release.namespace)
    return PlannedRelease(item.name, "upgrade", manifest_difference(before, content.manifests))


def _kubernetes_version(connection: Connection) -> str:
    version: Any = connection.read("read the cluster's version", client.VersionApi(connection.api).get_code)
    return str(version.git_version)
