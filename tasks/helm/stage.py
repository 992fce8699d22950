"""The rollout as the flows call it: from an environment to a table of releases."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client

from tasks.environment import Environment
from tasks.helm.charts import ChartAway
from tasks.helm.command import open_helm
from tasks.helm.derived_values import Outputs
from tasks.helm.differences import manifest_difference
from tasks.helm.preparation import Content, Prepared, Sources, changed, prepare, render_contents
from tasks.helm.records import ReleaseKey, ReleaseRecord, read_records
from tasks.helm.rollout import ReleaseResult, remove_others, roll_out, superfluous
from tasks.helm.upgrade import Target, deployed_manifests
from tasks.kubernetes.connection import Connection, open_connection
from tasks.kubernetes.identity import ClusterAddress, ClusterIdentity, require_cluster


@dataclass(frozen=True)
class Destination:
    """The environment's cluster: the file that leads there, and how it is told from others."""

    kubeconfig: Path
    identity: ClusterIdentity
    address: ClusterAddress


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


def roll_out_releases(
    settings: Environment, outputs: Outputs, destination: Destination, sources: Sources, say: Callable[[str], None]
) -> list[ReleaseResult]:
    """Bring the cluster to what the files describe, and prove each release; then remove what they no longer have.

    Nothing is changed when an input is wrong. Nothing is removed when a release failed.

    Raises:
        InvalidReleases: a file, chart or value is wrong.
        WrongCluster: the kubeconfig leads to another cluster.
        ClusterFault: the API refuses or does not answer.
    """
    with _situation(settings, outputs, destination, sources, say) as now:
        results = roll_out(now.target, now.prepared, now.contents, now.records)
        if all(result.usable for result in results):
            results += remove_others(now.target, now.prepared, now.records)
    return results


def plan_releases(
    settings: Environment, outputs: Outputs, destination: Destination, sources: Sources, say: Callable[[str], None]
) -> list[PlannedRelease]:
    """Say what `roll_out_releases` would do, and change nothing.

    Raises:
        InvalidReleases, WrongCluster, ClusterFault: as for `roll_out_releases`.
    """
    with _situation(settings, outputs, destination, sources, say) as now:
        planned = [_planned(now, item) for item in now.prepared]
        for record in superfluous(settings.name.value, now.prepared, now.records):
            before = deployed_manifests(now.target.helm, record.name, record.namespace)
            planned.append(PlannedRelease(record.name, "remove", manifest_difference(before, [])))
    return planned


@contextmanager
def _situation(
    settings: Environment, outputs: Outputs, destination: Destination, sources: Sources, say: Callable[[str], None]
) -> Generator[_Situation]:
    prepared = prepare(settings, outputs, sources)
    with open_connection(destination.kubeconfig) as connection, open_helm(destination.kubeconfig) as helm:
        require_cluster(connection, destination.identity, destination.address)
        records = read_records(connection)
        version = _kubernetes_version(connection)
        contents = render_contents(changed(prepared, records), helm, version, sources.repository)
        yield _Situation(Target(connection, helm, settings.name.value, say), prepared, contents, records)


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
