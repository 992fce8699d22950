"""The part of `teardown` that happens inside the cluster, before Terraform destroys it."""

from collections.abc import Mapping
from typing import Any

from prefect import get_run_logger

from tasks.artifacts import publish_table
from tasks.cluster_teardown.definitions import remove_custom_resources, remove_definitions
from tasks.cluster_teardown.load_balancers import remove_load_balancers
from tasks.cluster_teardown.nodes import remove_node_pools
from tasks.cluster_teardown.proof import count_what_is_left, note_empty, require_empty, was_emptied
from tasks.cluster_teardown.releases import remove_after_pools, remove_operators, remove_workloads
from tasks.cluster_teardown.volumes import release_volumes, remove_volumes
from tasks.eks_cluster import EksCluster, find_cluster
from tasks.environment import Environment
from tasks.helm.target import open_target
from tasks.helm.upgrade import Target
from tasks.kubernetes.environment_cluster import NoCluster, open_environment_cluster


def empty_cluster(settings: Environment, outputs: Mapping[str, Any]) -> list[str]:
    """Take back from AWS what controllers of the cluster made there, and prove it; returns what went.

    `outputs` are those of the environment's Terraform root. A cluster that is not there, or that nobody can have put
    anything into, is passed over.
    """
    cluster, log = find_cluster(settings), get_run_logger()
    if cluster is None or not cluster.usable:
        status = "does not exist" if cluster is None else f"is {cluster.status}"
        log.info("the cluster of %r %s: nothing runs in it", settings.name.value, status)
        return []
    if not outputs.get("cluster"):
        log.info("the cluster of %r was never provisioned to the end: nothing was put into it", settings.name.value)
        return []
    try:
        with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
            return remove_in_order(settings, cluster, target)
    except NoCluster as error:
        if not was_emptied(settings, cluster.arn):
            raise
        log.info("the cluster was emptied by an earlier teardown, and can no longer be reached: %s", error)
        return []


def remove_in_order(settings: Environment, cluster: EksCluster, target: Target) -> list[str]:
    """Each step leaves alive what the next ones need; each looks at what there is, so that any can be the first."""
    connection = target.connection
    gone = [
        *remove_load_balancers(settings, connection),
        *remove_workloads(target),
        *remove_custom_resources(connection),
        *remove_after_pools(target),
        *release_volumes(connection),
        *remove_node_pools(target),
        *remove_volumes(settings, connection),
        *remove_operators(target),
        *remove_definitions(connection),
    ]
    counted = count_what_is_left(settings, connection)
    rows = [each.row() for each in counted]
    publish_table(settings.name, "teardown", "cluster", rows, "What of the cluster would outlive it: all must be 0")
    require_empty(settings, counted)
    note_empty(settings, cluster.arn)
    return list(dict.fromkeys(gone))
