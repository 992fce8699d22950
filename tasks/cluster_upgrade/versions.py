"""Which parts of a cluster on EKS have which version, and an update that AWS is still at."""

import time
from typing import Any

from botocore.exceptions import ClientError
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.eks_cluster import EksCluster, find_cluster
from tasks.environment import Environment
from tasks.environment.cluster import known_addons
from tasks.runs.log import run_log

# The time that Terraform's provider gives an update of the control plane, too.
UPDATED_WITHIN_SECONDS = 3600
POLL_SECONDS = 10
ABSENT = "absent"


class NotUpgradable(Exception):
    """The cluster cannot be upgraded as it is; says what it is, and what to do."""


class UpgradeNeeded(Exception):
    """The environment file wants another Kubernetes minor than the cluster has, which only `upgrade` moves."""


def wanted_minor(settings: Environment) -> str:
    """The Kubernetes minor of the environment file."""
    assert settings.cluster is not None  # noqa: S101 - the model guarantees it on AWS
    return settings.cluster.kubernetes_version


def require_running_minor(settings: Environment) -> None:
    """Stop where an apply would move a running cluster to another minor, past the checks.

    Raises:
        UpgradeNeeded: says from where to where.
    """
    cluster = find_cluster(settings)
    if cluster is not None and cluster.version != wanted_minor(settings):
        raise UpgradeNeeded(
            f"the cluster {cluster.name!r} runs Kubernetes {cluster.version}, and cluster.kubernetes_version is "
            f"{wanted_minor(settings)!r}: run upgrade/{settings.name.value}, which looks for what would break first; "
            "nothing was changed"
        )


@task(task_run_name="wait-for-the-cluster", cache_policy=NO_CACHE, persist_result=False)
def settled_cluster(settings: Environment) -> EksCluster:
    """The cluster, once AWS is done with an update that an earlier run left behind.

    Raises:
        NotUpgradable: there is no cluster, it is not active, or the update failed.
    """
    deadline = time.monotonic() + UPDATED_WITHIN_SECONDS
    while True:
        cluster = find_cluster(settings)
        if cluster is None:
            raise NotUpgradable(f"{settings.name.value!r} has no cluster: run provision/{settings.name.value}")
        if cluster.status == "ACTIVE":
            return cluster
        if cluster.status != "UPDATING" or time.monotonic() > deadline:
            raise NotUpgradable(
                f"the cluster {cluster.name!r} is {cluster.status}, and must be ACTIVE: look at its updates in the EKS "
                "console, and run upgrade again"
            )
        run_log().info("AWS is still updating the cluster %r; waiting for it", cluster.name)
        time.sleep(POLL_SECONDS)


@task(task_run_name="compare-versions", cache_policy=NO_CACHE, persist_result=False)
def parts_behind(settings: Environment, cluster: EksCluster) -> list[str]:
    """What of EKS is not as the environment file has it: control plane, managed add-ons, node groups."""
    minor, eks = wanted_minor(settings), client("eks", settings)
    assert settings.cluster is not None  # noqa: S101 - as above
    listed = {name: versions[0] for name, versions in known_addons()[minor].items()}
    parts = {"control plane": (cluster.version, minor)}
    with explained_credentials():
        for name, version in {**listed, **settings.cluster.addon_versions}.items():
            parts[f"add-on {name}"] = (_addon_version(eks, cluster, name), version)
        pages = eks.get_paginator("list_nodegroups").paginate(clusterName=cluster.name)
        for name in [name for page in pages for name in page["nodegroups"]]:
            group = eks.describe_nodegroup(clusterName=cluster.name, nodegroupName=name)["nodegroup"]
            parts[f"node group {name}"] = (group["version"], minor)
    return [f"{part}: {found} to {wanted}" for part, (found, wanted) in parts.items() if found != wanted]


def _addon_version(eks: Any, cluster: EksCluster, name: str) -> str:
    try:
        return str(eks.describe_addon(clusterName=cluster.name, addonName=name)["addon"]["addonVersion"])
    except ClientError as error:
        # An apply that ended early, or a person, has left it out: Terraform makes it.
        if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
            raise
        return ABSENT
