"""Runs the probe of a release: it is asked again until it holds or the deadline has passed."""

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

from kubernetes import client

from tasks.kubernetes.binaries import cluster_binaries
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.faults import ApiAway, ClusterFault, known_fault
from tasks.kubernetes.probe_kinds import AppliedProbe, ConditionProbe, Probe, WebhooksProbe, WorkloadsProbe
from tasks.kubernetes.probe_result import Outcome, ProbeResult, worst
from tasks.kubernetes.webhooks import webhooks_serve
from tasks.kubernetes.workloads import simulated_nodes, workloads_ready

PAUSE_SECONDS = 1.0
KUBECTL_SECONDS = 60
Manifest = Mapping[str, Any]


def run_probe(
    connection: Connection, probe: Probe, manifests: Sequence[Manifest], namespace: str, seconds: float
) -> ProbeResult:
    """Ask until the probe no longer fails, for at most `seconds`; the last answer counts.

    `manifests` are the release's objects, `namespace` that of objects which name none.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = ask_once(connection, probe, manifests, namespace)
        if result.outcome is not Outcome.FAILED or time.monotonic() + PAUSE_SECONDS > deadline:
            return result
        time.sleep(PAUSE_SECONDS)


def ask_once(connection: Connection, probe: Probe, manifests: Sequence[Manifest], namespace: str) -> ProbeResult:
    """What the probe says now."""
    match probe:
        case AppliedProbe():
            return _all_there(connection, manifests, namespace)
        case WorkloadsProbe():
            found = workloads_ready(connection, manifests, namespace, simulated_nodes(connection))
            return worst(found, nothing="the release has no workload")
        case WebhooksProbe():
            simulated = simulated_nodes(connection)
            found = workloads_ready(connection, manifests, namespace, simulated)
            found += webhooks_serve(connection, manifests, simulated)
            return worst(found, nothing="the release has neither a workload nor a webhook")
        case ConditionProbe():
            return _condition_holds(connection, probe)


def _all_there(connection: Connection, manifests: Sequence[Manifest], namespace: str) -> ProbeResult:
    """kubectl finds each object's address by its kind, which the client library would need a call a group for."""
    if not manifests:
        return ProbeResult(Outcome.PROVED, "the release has no object")
    # Not by the option --namespace: kubectl then refuses objects that name another.
    placed = [{**each, "metadata": {"namespace": namespace, **each["metadata"]}} for each in manifests]
    listed = {"apiVersion": "v1", "kind": "List", "items": placed}
    command = [str(cluster_binaries().kubectl), "--kubeconfig", str(connection.kubeconfig)]
    command += ["get", "--filename", "-", "--output", "name"]
    try:
        done = subprocess.run(
            command, input=json.dumps(listed), capture_output=True, text=True, timeout=KUBECTL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ApiAway(f"look for the release's objects: kubectl had no answer in {KUBECTL_SECONDS} s") from error
    if done.returncode == 0:
        return ProbeResult(Outcome.PROVED, f"{len(manifests)} objects are there")
    message = done.stderr.strip()
    if "NotFound" in message or "no matches for kind" in message:
        return ProbeResult(Outcome.FAILED, message)
    raise known_fault(message, "look for the release's objects") or ClusterFault(f"kubectl get: {message}")


def _condition_holds(connection: Connection, probe: ConditionProbe) -> ProbeResult:
    objects = client.CustomObjectsApi(connection.api)
    title = f"{probe.plural}.{probe.group}"
    if probe.namespace is None:
        found: Any = connection.read(
            f"list {title}", objects.list_cluster_custom_object, probe.group, probe.version, probe.plural
        )
    else:
        place = (probe.group, probe.version, probe.namespace, probe.plural)
        found = connection.read(f"list {title}", objects.list_namespaced_custom_object, *place)
    results = [_condition_of(item, probe) for item in found["items"]]
    return worst(results, nothing="") if results else ProbeResult(Outcome.FAILED, f"there is no object of {title}")


def _condition_of(item: Mapping[str, Any], probe: ConditionProbe) -> ProbeResult:
    # The lists of built-in resources leave the kind of their items out.
    title = f"{item.get('kind', probe.plural)} {item['metadata']['name']}"
    conditions = item.get("status", {}).get("conditions", [])
    for condition in conditions:
        if condition["type"] == probe.condition and condition["status"] == "True":
            return ProbeResult(Outcome.PROVED, f"{title} is {probe.condition}")
    seen = "; ".join(
        f"{condition['type']}={condition['status']} {condition.get('message', '')}" for condition in conditions
    )
    return ProbeResult(Outcome.FAILED, f"{title} is not {probe.condition}: {seen or 'no controller reports on it'}")
