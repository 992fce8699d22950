"""What every workload that is rolled out has to state: where it runs, what it needs, and how it may be disturbed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasks.helm.rendering import Manifest

ARCHITECTURE = "kubernetes.io/arch"
ZONE = "topology.kubernetes.io/zone"
CONTROLLERS = ("Deployment", "StatefulSet", "DaemonSet")
# What a chart has no setting for, by workload, and why that is accepted.
ACCEPTED = {
    # Chart 1.0.0 has no resources; the plugin sleeps until the kubelet asks, and has the highest priority of a node.
    "neuron-device-plugin": ("requests no cpu", "requests no memory"),
}
# Agents of a node: they read its disk or speak to its devices, which no unprivileged user may.
NODE_AGENTS = "DaemonSet"


def workload_findings(manifests: Iterable[Manifest]) -> Iterator[tuple[Manifest, str]]:
    """Each workload with what it fails to state."""
    everything = list(manifests)
    budgets = [_selector(budget) for budget in everything if budget["kind"] == "PodDisruptionBudget"]
    for workload in everything:
        if workload["kind"] in CONTROLLERS:
            accepted = ACCEPTED.get(workload["metadata"]["name"], ())
            for finding in _findings(workload, budgets):
                if not finding.endswith(accepted):
                    yield workload, finding


def _findings(workload: Manifest, budgets: list[Mapping[str, str]]) -> Iterator[str]:
    pod = workload["spec"]["template"]["spec"]
    if not _states_architecture(pod):
        yield f"states no architecture: give it {ARCHITECTURE} as a node selector or in its node affinity"
    for container in pod["containers"]:
        requests = container.get("resources", {}).get("requests", {})
        for resource in ("cpu", "memory"):
            if resource not in requests:
                yield f"the container {container['name']!r} requests no {resource}"
        if str(container["image"]).endswith(":latest"):
            yield f"the container {container['name']!r} takes whatever image is the latest: {container['image']!r}"
    if workload["kind"] == NODE_AGENTS:
        return
    yield from _hardening(pod)
    if workload["spec"].get("replicas", 1) > 1:
        yield from _availability(workload, pod, budgets)


def _availability(workload: Manifest, pod: Mapping[str, Any], budgets: list[Mapping[str, str]]) -> Iterator[str]:
    if ZONE not in _spread_over(pod):
        yield f"its {workload['spec']['replicas']} replicas are not spread over zones"
    labels = workload["spec"]["template"]["metadata"]["labels"]
    if not any(budget.items() <= labels.items() for budget in budgets):
        yield "no PodDisruptionBudget selects it"
    for spread in pod.get("topologySpreadConstraints") or ():
        selected = (spread.get("labelSelector") or {}).get("matchLabels")
        if not selected or not selected.items() <= labels.items():
            yield f"its spread over {spread['topologyKey']} selects {selected!r}, which its pods are not labelled with"


def _spread_over(pod: Mapping[str, Any]) -> set[str]:
    constraints = pod.get("topologySpreadConstraints") or ()
    apart = (pod.get("affinity") or {}).get("podAntiAffinity") or {}
    terms = [
        *(apart.get("requiredDuringSchedulingIgnoredDuringExecution") or ()),
        *(each["podAffinityTerm"] for each in apart.get("preferredDuringSchedulingIgnoredDuringExecution") or ()),
    ]
    return {each["topologyKey"] for each in (*constraints, *terms)}


def _hardening(pod: Mapping[str, Any]) -> Iterator[str]:
    for container in pod["containers"]:
        own = container.get("securityContext") or {}
        both = {**(pod.get("securityContext") or {}), **own}
        if both.get("runAsNonRoot") is not True and not _has_device(container):
            yield f"the container {container['name']!r} may run as root"
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"the container {container['name']!r} may gain privileges"
        if "ALL" not in (own.get("capabilities") or {}).get("drop", ()):
            yield f"the container {container['name']!r} keeps capabilities"
        if (both.get("seccompProfile") or {}).get("type") != "RuntimeDefault":
            yield f"the container {container['name']!r} has no seccomp profile"


def _has_device(container: Mapping[str, Any]) -> bool:
    """Images of model servers on accelerators are made for root, and their libraries write beside themselves."""
    limits = (container.get("resources") or {}).get("limits") or {}
    return any("/" in resource for resource in limits)


def _states_architecture(pod: Mapping[str, Any]) -> bool:
    if ARCHITECTURE in (pod.get("nodeSelector") or {}):
        return True
    affinity = (pod.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or []
    return bool(terms) and all(
        any(expression["key"] == ARCHITECTURE for expression in term.get("matchExpressions") or ()) for term in terms
    )


def _selector(budget: Manifest) -> Mapping[str, str]:
    return budget["spec"].get("selector", {}).get("matchLabels") or {"": "selects nothing by labels"}
