"""Node pools: deleted, and waited for until Karpenter has given every node back."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.cluster_teardown import PATIENCE_SECONDS
from tasks.cluster_teardown.releases import lift_own_budgets
from tasks.helm.upgrade import Target
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.disruption import blocked_pods, pods_on
from tasks.kubernetes.objects import NODE_CLAIMS, NODE_POOLS, Document, delete, list_all
from tasks.progress import wait_until_gone


@task(task_run_name="remove-node-pools", cache_policy=NO_CACHE, persist_result=False)
def remove_node_pools(target: Target, patience_seconds: float = PATIENCE_SECONDS) -> list[str]:
    """Delete all node pools, and wait until no NodeClaim is left; returns what went.

    Raises:
        NoProgress: names each pod that keeps a node from being drained, and what keeps the pod.
        ClusterFault: the API refuses or does not answer.
    """
    connection = target.connection
    gone: dict[str, None] = {}
    lift_own_budgets(target)

    def look() -> list[str]:
        pools, claims = list_all(connection, NODE_POOLS), list_all(connection, NODE_CLAIMS)
        for resource, documents in ((NODE_POOLS, pools), (NODE_CLAIMS, claims)):
            for document in documents:
                gone[f"{resource.kind} {document['metadata']['name']}"] = None
                if not document["metadata"].get("deletionTimestamp"):
                    delete(connection, resource, document)
        pods = [pod["spec"]["nodeName"] for pod in pods_on(connection, _nodes(claims))]
        return [f"NodePool {pool['metadata']['name']}" for pool in pools] + [
            f"NodeClaim {claim['metadata']['name']} ({pods.count(_node(claim))} pods to move)" for claim in claims
        ]

    wait_until_gone("node pools and their nodes", look, lambda: _why(connection), patience_seconds)
    return list(gone)


def node_claims(connection: Connection) -> list[str]:
    """The names of the NodeClaims that there are."""
    return [claim["metadata"]["name"] for claim in list_all(connection, NODE_CLAIMS)]


def _why(connection: Connection) -> str:
    claims = list_all(connection, NODE_CLAIMS)
    blocked = blocked_pods(connection, _nodes(claims))
    if blocked:
        return f"The drain is blocked by {'; '.join(map(str, blocked))}. Delete that budget or pod, or scale it up"
    said = "; ".join(filter(None, map(_conditions, claims)))
    return f"No pod blocks the drain{f'; Karpenter says: {said}' if said else ''}. See whether Karpenter runs"


def _conditions(claim: Document) -> str:
    conditions = (claim.get("status") or {}).get("conditions") or ()
    false = [f"{each['type']}: {each.get('message')}" for each in conditions if each["status"] != "True"]
    return f"{claim['metadata']['name']}: {', '.join(false)}" if false else ""


def _nodes(claims: Sequence[Document]) -> set[str]:
    return {name for claim in claims if (name := _node(claim))}


def _node(claim: Document) -> str:
    return (claim.get("status") or {}).get("nodeName") or ""
