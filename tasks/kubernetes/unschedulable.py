"""Why pods wait for a node, or waited: what Karpenter says of them, or the scheduler where Karpenter says nothing."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from tasks.kubernetes.connection import Connection
from tasks.kubernetes.objects import get

KARPENTER = "karpenter"
# Karpenter says for each pool why it does not fit, with all that the pool requires.
REQUIREMENTS = re.compile(
    r", requirements=.*?karpenter\.sh/nodepool In \[(?P<pool>[^\]]+)\].*?, resources=(?P<resources>\{[^}]*\})"
)
Document = Mapping[str, Any]


def unschedulable_pods(connection: Connection, namespace: str, selector: Mapping[str, str]) -> list[str]:
    """A sentence for each reason why pods with these labels have no node; how many share it, and which is one of them.

    Two calls to the API, and one where no pod waits.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    pods = get(connection, f"/api/v1/namespaces/{namespace}/pods?{urlencode({'labelSelector': labels})}")["items"]
    waiting = [pod for pod in pods or () if _is_waiting(pod)]
    if not waiting:
        return []
    events = _events(connection, namespace)
    by_reason: dict[str, list[str]] = {}
    for pod in waiting:
        by_reason.setdefault(_reason(pod, events), []).append(pod["metadata"]["name"])
    return [
        f"{len(names)} {'pod waits' if len(names) == 1 else 'pods wait'} for a node, such as {names[0]}: {reason}"
        for reason, names in by_reason.items()
    ]


def scheduling_failures(connection: Connection, namespace: str, workloads: Iterable[str], since: datetime) -> list[str]:
    """A sentence for each of the `workloads` of which a pod found no node since then; the pods may be gone.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    found: list[str] = []
    events = [event for event in _events(connection, namespace) if _time(event) >= f"{since:%Y-%m-%dT%H:%M:%S}"]
    for workload in workloads:
        about = [event for event in events if event["involvedObject"]["name"].startswith(f"{workload}-")]
        if about:
            # What Karpenter says is about all pools, what the scheduler says about the nodes that there were.
            telling = max(about, key=lambda event: (_says_karpenter(event), _time(event)))
            who = "Karpenter says" if _says_karpenter(telling) else "the scheduler says"
            found.append(f"{telling['involvedObject']['name']} found no node: {who}: {_shortened(telling['message'])}")
    return found


def _events(connection: Connection, namespace: str) -> Sequence[Document]:
    asked = urlencode({"fieldSelector": "involvedObject.kind=Pod,reason=FailedScheduling"})
    return get(connection, f"/api/v1/namespaces/{namespace}/events?{asked}")["items"] or ()


def _is_waiting(pod: Document) -> bool:
    condition = _scheduled(pod)
    return not pod["spec"].get("nodeName") and condition is not None and condition["status"] == "False"


def _scheduled(pod: Document) -> Document | None:
    conditions = pod.get("status", {}).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == "PodScheduled"), None)


def _reason(pod: Document, events: Sequence[Document]) -> str:
    about = [event for event in events if event["involvedObject"].get("uid") == pod["metadata"]["uid"]]
    karpenter = [event for event in about if _says_karpenter(event)]
    if karpenter:
        return f"Karpenter says: {_shortened(max(karpenter, key=_time)['message'])}"
    return f"the scheduler says: {(_scheduled(pod) or {}).get('message', 'nothing')}"


def _says_karpenter(event: Document) -> bool:
    return KARPENTER in (event.get("reportingComponent"), (event.get("source") or {}).get("component"))


def _time(event: Document) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def _shortened(message: str) -> str:
    parts = REQUIREMENTS.sub(r" in the pool \g<pool> for \g<resources>", message).split("; ")
    return "; ".join(dict.fromkeys(parts))
