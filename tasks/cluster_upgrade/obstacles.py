"""What would break when the control plane moves: APIs that the next minor no longer has, and what EKS warns of."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prometheus_client.parser import text_string_to_metric_families

from tasks.aws_session import client, explained_credentials
from tasks.eks_cluster import EksCluster
from tasks.environment import Environment
from tasks.helm.records import DEPLOYED, read_records
from tasks.helm.upgrade import Target, deployed_manifests
from tasks.kubernetes.connection import Connection

REMOVED_APIS = Path(__file__).with_name("removed_apis.json")
# https://kubernetes.io/docs/reference/using-api/deprecation-policy: a gauge of 1 for each that somebody asked for.
REQUESTED = "apiserver_requested_deprecated_apis"
GUIDE = "https://kubernetes.io/docs/reference/using-api/deprecation-guide"


@dataclass(frozen=True)
class Obstacle:
    """One thing in the way, who says so, and what to do; what does not `block` is worth a look."""

    what: str
    found_by: str
    remedy: str
    blocks: bool


class UpgradeObstructed(Exception):
    """Something would break on the next minor; says what. Nothing was changed."""


def order_of(minor: str) -> tuple[int, ...]:
    """A minor such as "1.35" in a form that sorts."""
    return tuple(map(int, minor.split(".")))


@cache
def removed_kinds(minor: str) -> Mapping[tuple[str, str], str]:
    """The kinds that a cluster of `minor` does not have any more, each with the minor that removed it."""
    table: dict[str, dict[str, list[str]]] = json.loads(REMOVED_APIS.read_text(encoding="utf-8"))["removed"]
    return {
        (api_version, kind): removed_in
        for removed_in, versions in table.items()
        if order_of(removed_in) <= order_of(minor)
        for api_version, kinds in versions.items()
        for kind in kinds
    }


@task(task_run_name="look-for-obstacles", cache_policy=NO_CACHE, persist_result=False)
def look_for_obstacles(settings: Environment, cluster: EksCluster, target: Target, minor: str) -> list[Obstacle]:
    """All that is in the way of `minor`; changes nothing.

    Raises:
        ClusterFault: the Kubernetes API refuses or does not answer.
        MissingCredentials: AWS refuses the credentials.
    """
    return [
        *_in_releases(target, minor),
        *requested_apis(read_metrics(target.connection), minor),
        *_insights(settings, cluster, minor),
    ]


def require_none(obstacles: Sequence[Obstacle], minor: str) -> None:
    """Stop when one blocks.

    Raises:
        UpgradeObstructed: names each, with its remedy.
    """
    if blocking := [each for each in obstacles if each.blocks]:
        lines = "".join(f"\n- {each.what} (says {each.found_by}); {each.remedy}" for each in blocking)
        raise UpgradeObstructed(
            f"{len(blocking)} things would break on Kubernetes {minor}; nothing was changed. Put them right, or run "
            f"again with accept_obstacles=true when they are known to be past:{lines}"
        )


def rows(obstacles: Sequence[Obstacle]) -> list[dict[str, object]]:
    """As a table: what blocks first."""
    return [asdict(each) for each in sorted(obstacles, key=lambda each: (not each.blocks, each.what))]


def read_metrics(connection: Connection) -> str:
    """The API server's own metrics. Raises `ClusterFault`."""
    metrics: Any = connection.read(
        "read the API server's metrics",
        connection.api.call_api,
        "/metrics",
        "GET",
        header_params={"Accept": "text/plain"},
        auth_settings=["BearerToken"],
        response_type="str",
        _return_http_data_only=True,
    )
    return str(metrics)


def requested_apis(metrics: str, minor: str) -> Iterator[Obstacle]:
    """The removed APIs that somebody asked the API server for since it started."""
    relevant = "\n".join(line for line in metrics.splitlines() if REQUESTED in line)
    for family in text_string_to_metric_families(f"{relevant}\n"):
        for sample in family.samples:
            labels = sample.labels
            removed_in = labels.get("removed_release", "")
            if sample.value and removed_in and order_of(removed_in) <= order_of(minor):
                name = "/".join(filter(None, (labels["group"], labels["version"], labels["resource"])))
                yield Obstacle(
                    f"somebody asks for {name}, which {removed_in} removes",
                    f"the API server's metric {REQUESTED}",
                    f"the audit log says who (annotation k8s.io/removed-release); move them: {GUIDE}",
                    blocks=True,
                )


def _in_releases(target: Target, minor: str) -> Iterator[Obstacle]:
    """Helm reads the objects of a release in the version that its record holds, and fails when that is gone."""
    removed = removed_kinds(minor)
    for record in read_records(target.connection).values():
        if record.status != DEPLOYED:
            continue
        for manifest in deployed_manifests(target.helm, record.name, record.namespace):
            removed_in = removed.get((manifest["apiVersion"], manifest["kind"]))
            if removed_in is not None:
                what = f"{manifest['kind']} {manifest['metadata']['name']} as {manifest['apiVersion']}"
                yield Obstacle(
                    f"release {record.namespace}/{record.name} has {what}, which {removed_in} removes",
                    "the release's manifest",
                    f"roll out a version of its chart that uses another: {GUIDE}",
                    blocks=True,
                )


def _insights(settings: Environment, cluster: EksCluster, minor: str) -> Iterator[Obstacle]:
    """Source: https://docs.aws.amazon.com/eks/latest/userguide/cluster-insights.html."""
    eks = client("eks", settings)
    asked = {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [minor]}
    with explained_credentials():
        pages = eks.get_paginator("list_insights").paginate(clusterName=cluster.name, filter=asked)
        listed: list[Mapping[str, Any]] = [each for page in pages for each in page["insights"]]
        for summary in listed:
            status = summary["insightStatus"]["status"]
            if status == "PASSING":
                continue
            insight = eks.describe_insight(clusterName=cluster.name, id=summary["id"])["insight"]
            refreshed = insight.get("lastRefreshTime")
            reason = insight["insightStatus"].get("reason", "")
            yield Obstacle(
                f"{insight['name']}: {reason}",
                f"EKS insights, {status}" + (f", as of {refreshed:%Y-%m-%d %H:%M}" if refreshed else ""),
                insight.get("recommendation") or "look at it in the EKS console",
                blocks=status == "ERROR",
            )
