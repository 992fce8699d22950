"""What keeps pods from being evicted: disruption budgets, a wish not to be disrupted, a pod that does not end.

Source: https://kubernetes.io/docs/tasks/run-application/configure-pdb and https://karpenter.sh/docs/concepts/disruption
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.kubernetes.connection import Connection
from tasks.kubernetes.objects import BUDGETS, PODS, Document, finalizers, list_all

DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"
ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class BlockedPod:
    """A pod that does not leave its node, and why."""

    node: str
    pod: str
    reason: str

    def __str__(self) -> str:
        return f"pod {self.pod!r} on node {self.node!r}: {self.reason}"


def pods_on(connection: Connection, nodes: Collection[str]) -> list[Document]:
    """The pods on `nodes` that a drain has to move: not those of DaemonSets, of the node itself, or that ended."""
    return [
        pod
        for pod in list_all(connection, PODS)
        if pod["spec"].get("nodeName") in nodes
        and pod["status"].get("phase") not in ENDED
        and not any(owner["kind"] in ("DaemonSet", "Node") for owner in pod["metadata"].get("ownerReferences") or ())
    ]


def blocked_pods(connection: Connection, nodes: Collection[str]) -> list[BlockedPod]:
    """The pods on `nodes` that a drain cannot move now, each with what stands in the way.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    budgets = list_all(connection, BUDGETS)
    blocked: list[BlockedPod] = []
    for pod in pods_on(connection, nodes):
        metadata = pod["metadata"]
        if reason := _reason(pod, [budget for budget in budgets if _covers(budget, pod)]):
            blocked.append(BlockedPod(pod["spec"]["nodeName"], f"{metadata['namespace']}/{metadata['name']}", reason))
    return blocked


def _reason(pod: Document, budgets: list[Document]) -> str | None:
    metadata = pod["metadata"]
    if metadata.get("deletionTimestamp"):
        held = f", held by the finalizers {', '.join(finalizers(pod))}" if finalizers(pod) else ""
        return f"it has been ending since {metadata['deletionTimestamp']}{held}"
    names = [f"{budget['metadata']['namespace']}/{budget['metadata']['name']}" for budget in budgets]
    if len(budgets) > 1:
        return f"the disruption budgets {', '.join(map(repr, names))} cover it, and Kubernetes evicts no such pod"
    for name, budget in zip(names, budgets, strict=True):
        status: Mapping[str, Any] = budget.get("status") or {}
        if status.get("disruptionsAllowed", 0) < 1 and not _may_go_unready(budget, pod):
            healthy = f"{status.get('currentHealthy', 0)} of {status.get('desiredHealthy', 0)}"
            return f"the disruption budget {name!r} lets no pod go ({healthy} pods that it wants are healthy)"
    if (metadata.get("annotations") or {}).get(DO_NOT_DISRUPT) == "true":
        return f"its annotation {DO_NOT_DISRUPT} keeps Karpenter from moving it"
    return None


def _may_go_unready(budget: Document, pod: Document) -> bool:
    ready = any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in pod["status"].get("conditions") or ()
    )
    return budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow" and not ready


def _covers(budget: Document, pod: Document) -> bool:
    selector = budget["spec"].get("selector")
    if selector is None or budget["metadata"]["namespace"] != pod["metadata"]["namespace"]:
        return False
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or ()
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in expressions
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key = expression["key"]
    match expression["operator"]:
        case "In":
            return labels.get(key) in expression["values"]
        case "NotIn":
            return labels.get(key) not in expression["values"]
        case "Exists":
            return key in labels
        case _:
            return key not in labels
