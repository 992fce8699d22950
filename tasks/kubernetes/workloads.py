"""Whether workloads have their pods ready, and whether the nodes that hold them run containers at all."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kubernetes import client

from tasks.kubernetes.connection import Connection
from tasks.kubernetes.faults import ObjectMissing
from tasks.kubernetes.object_metadata import list_metadata
from tasks.kubernetes.probe_result import Outcome, ProbeResult
from tasks.kubernetes.unschedulable import unschedulable_pods

# Set by kwok on the nodes that it simulates: https://kwok.sigs.k8s.io/docs/user/kwok-manage-nodes-and-pods
SIMULATED = "kwok.x-k8s.io/node"
KINDS = ("Deployment", "StatefulSet", "DaemonSet")
Manifest = Mapping[str, Any]


def simulated_nodes(connection: Connection) -> frozenset[str]:
    """The names of the nodes that declare themselves simulated."""
    nodes = list_metadata(connection, "/api/v1/nodes")
    return frozenset(node.name for node in nodes if SIMULATED in node.annotations)


def workloads_ready(
    connection: Connection, manifests: Iterable[Manifest], namespace: str, simulated: frozenset[str]
) -> list[ProbeResult]:
    """One result for each workload among `manifests`; `namespace` holds those that name none."""
    return [
        _workload_ready(connection, manifest, manifest["metadata"].get("namespace", namespace), simulated)
        for manifest in manifests
        if manifest["kind"] in KINDS
    ]


def _workload_ready(
    connection: Connection, manifest: Manifest, namespace: str, simulated: frozenset[str]
) -> ProbeResult:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    title = f"{kind} {namespace}/{name}"
    try:
        workload: Any = connection.read(f"read the {title}", _reader(connection, kind), name, namespace)
    except ObjectMissing:
        return ProbeResult(Outcome.FAILED, f"{title} is not there")
    ready, wanted = _counts(kind, workload)
    if workload.status.observed_generation != workload.metadata.generation or ready < wanted:
        waiting = unschedulable_pods(connection, namespace, workload.spec.selector.match_labels or {})
        said = f" ({'; '.join(reasons)})" if (reasons := [*_messages(workload), *waiting]) else ""
        return ProbeResult(Outcome.FAILED, f"{title} has {ready} of {wanted} pods ready{said}")
    selector = ",".join(f"{key}={value}" for key, value in (workload.spec.selector.match_labels or {}).items())
    pods: Any = connection.read(
        f"list the pods of the {title}",
        client.CoreV1Api(connection.api).list_namespaced_pod,
        namespace,
        label_selector=selector,
    )
    if held := sorted({pod.spec.node_name for pod in pods.items} & simulated):
        return ProbeResult(
            Outcome.NOT_PROVED, f"{title} has {ready} of {wanted} pods ready, on simulated nodes such as {held[0]}"
        )
    return ProbeResult(Outcome.PROVED, f"{title} has {ready} of {wanted} pods ready")


def _reader(connection: Connection, kind: str) -> Callable[..., object]:
    apps = client.AppsV1Api(connection.api)
    return {
        "Deployment": apps.read_namespaced_deployment,
        "StatefulSet": apps.read_namespaced_stateful_set,
        "DaemonSet": apps.read_namespaced_daemon_set,
    }[kind]


def _counts(kind: str, workload: Any) -> tuple[int, int]:
    """The pods that are ready and up to date, and those that are wanted."""
    status = workload.status
    if kind == "DaemonSet":
        updated, ready, wanted = status.updated_number_scheduled, status.number_ready, status.desired_number_scheduled
    else:
        updated, ready, wanted = status.updated_replicas, status.ready_replicas, workload.spec.replicas
    return min(updated or 0, ready or 0), wanted or 0


def _messages(workload: Any) -> list[str]:
    conditions = workload.status.conditions or []
    return [condition.message for condition in conditions if condition.status == "False" and condition.message]
