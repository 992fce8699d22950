"""Nodes that still run the old minor: Karpenter replaces them within the disruption budgets, and this follows it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.cluster_upgrade.obstacles import order_of
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.disruption import blocked_pods
from tasks.kubernetes.objects import NODE_CLAIMS, NODE_POOLS, NODES, Document, list_all
from tasks.progress import wait_until_gone

# Karpenter asks for new images every 5 minutes and looks for drift every 5; a node with a model takes minutes more.
PATIENCE_SECONDS = 1800
NODE_GROUP = "eks.amazonaws.com/nodegroup"
NODE_POOL = "karpenter.sh/nodepool"


@task(task_run_name="follow-karpenter-nodes", cache_policy=NO_CACHE, persist_result=False)
def replace_karpenter_nodes(
    connection: Connection, minor: str, patience_seconds: float = PATIENCE_SECONDS
) -> list[str]:
    """Wait until Karpenter has replaced every node whose kubelet is older than `minor`; returns the nodes that went.

    Nothing is done to a node: a new control plane changes the image that a node class stands for, which Karpenter sees
    as drift. https://karpenter.sh/docs/concepts/disruption/#drift

    Raises:
        NoProgress: names what keeps each node: the budget and the pod, the pool's own budget, or no drift.
        ClusterFault: the API refuses or does not answer.
    """
    replaced: dict[str, None] = {}

    def look() -> list[str]:
        old = older_nodes(connection, minor, NODE_POOL)
        replaced.update(dict.fromkeys(old))
        return old

    def why() -> str:
        return "; ".join(_held_up(connection, older_nodes(connection, minor, NODE_POOL)))

    wait_until_gone(f"nodes older than Kubernetes {minor}", look, why, patience_seconds)
    return list(replaced)


def older_nodes(connection: Connection, minor: str, label: str) -> list[str]:
    """The names of the nodes with `label` whose kubelet is older than `minor`. Raises `ClusterFault`."""
    return [
        node["metadata"]["name"]
        for node in list_all(connection, NODES)
        if label in (node["metadata"].get("labels") or {}) and order_of(_minor(node)) < order_of(minor)
    ]


def blocked_system_nodes(connection: Connection, minor: str) -> list[str]:
    """What keeps the pods of old nodes of managed node groups where they are. Raises `ClusterFault`."""
    return [str(pod) for pod in blocked_pods(connection, older_nodes(connection, minor, NODE_GROUP))]


def _held_up(connection: Connection, nodes: Sequence[str]) -> list[str]:
    blocked = blocked_pods(connection, nodes)
    reasons = [f"the drain is blocked by {pod}" for pod in blocked]
    claims = {(claim.get("status") or {}).get("nodeName"): claim for claim in list_all(connection, NODE_CLAIMS)}
    pools = {pool["metadata"]["name"]: pool for pool in list_all(connection, NODE_POOLS)}
    for node in sorted(set(nodes) - {pod.node for pod in blocked}):
        claim = claims.get(node)
        pool = pools.get(claim["metadata"]["labels"].get(NODE_POOL, "")) if claim else None
        if claim is None:
            reasons.append(f"node {node!r} has no NodeClaim, so Karpenter does not look after it")
        elif pool is not None and (budget := _closed_budget(pool)):
            reasons.append(f"node {node!r}: the disruption budget {budget} of NodePool {pool['metadata']['name']!r}")
        elif not _has_drifted(claim):
            reasons.append(f"node {node!r}: Karpenter sees no drift; its node class may pin an image of the old minor")
        else:
            reasons.append(f"node {node!r} has drifted, and Karpenter does not replace it: see its log and events")
    return reasons


def _closed_budget(pool: Document) -> str | None:
    budgets: Sequence[Mapping[str, Any]] = pool["spec"].get("disruption", {}).get("budgets") or ()
    for budget in budgets:
        drifts = "Drifted" in (budget.get("reasons") or ("Drifted",))
        if drifts and re.fullmatch(r"0%?", str(budget["nodes"])):
            when = f" from {budget['schedule']!r} for {budget.get('duration')}" if budget.get("schedule") else ""
            return f"nodes = {budget['nodes']!r}{when}"
    return None


def _has_drifted(claim: Document) -> bool:
    conditions = (claim.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Drifted" and each["status"] == "True" for each in conditions)


def _minor(node: Document) -> str:
    """The minor of a node's kubelet, such as "1.35" of "v1.35.4-eks-1234"."""
    found = re.match(r"v?(\d+\.\d+)", node["status"]["nodeInfo"]["kubeletVersion"])
    # A node that has just joined has not said yet.
    return found[1] if found else "0.0"
