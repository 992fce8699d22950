"""What workloads have to state, and what is said of one that does not."""

import copy
from typing import Any

import pytest

from tasks.helm.workload_findings import workload_findings

LABELS = {"app": "any"}
SPREAD = {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": LABELS}}
CONTAINER = {
    "name": "main",
    "image": "registry.example.com/any:1.0.0",
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
POD = {
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "topologySpreadConstraints": [SPREAD],
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [CONTAINER],
}
BUDGET = {"kind": "PodDisruptionBudget", "spec": {"selector": {"matchLabels": LABELS}}}


def workload(kind: str = "Deployment", replicas: int = 2, **changed: Any) -> dict[str, Any]:
    pod = {**copy.deepcopy(POD), **changed}
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    return {"kind": kind, "metadata": {"name": "any"}, "spec": {"replicas": replicas, "template": template}}


def container(**changed: Any) -> dict[str, Any]:
    return {"containers": [{**copy.deepcopy(CONTAINER), **changed}]}


def findings(*manifests: dict[str, Any]) -> list[str]:
    return [finding for _, finding in workload_findings(manifests)]


def affinity(*keys: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": key, "operator": "In", "values": ["amd64", "arm64"]}]} for key in keys]
    return {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}},
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "topology.kubernetes.io/zone"}}
            ]
        },
    }


@pytest.mark.parametrize(
    "manifests",
    [
        (workload(), BUDGET),
        (workload(replicas=1, topologySpreadConstraints=[]),),
        (workload(nodeSelector={}, affinity=affinity("kubernetes.io/arch"), topologySpreadConstraints=None), BUDGET),
        (workload("DaemonSet", securityContext={}),),
    ],
)
def test_what_states_all_has_no_finding(manifests: tuple[dict[str, Any], ...]) -> None:
    assert findings(*manifests) == []


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"nodeSelector": None}, "states no architecture"),
        ({"nodeSelector": {}, "affinity": affinity("kubernetes.io/arch", "other")}, "states no architecture"),
        ({"topologySpreadConstraints": []}, "its 2 replicas are not spread over zones"),
        (
            {"topologySpreadConstraints": [{**SPREAD, "labelSelector": {"matchLabels": {"app": "other"}}}]},
            "its spread over topology.kubernetes.io/zone selects {'app': 'other'}",
        ),
        (container(resources={"requests": {"cpu": "1"}}), "the container 'main' requests no memory"),
        (container(image="any:latest"), "takes whatever image is the latest"),
        (container(securityContext={"capabilities": {"drop": ["ALL"]}}), "may gain privileges"),
        (container(securityContext={"allowPrivilegeEscalation": False}), "keeps capabilities"),
        ({"securityContext": {"runAsNonRoot": True}}, "has no seccomp profile"),
        ({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, "may run as root"),
    ],
)
def test_what_is_missing_is_named(changed: dict[str, Any], part: str) -> None:
    (finding,) = findings(workload(**changed), BUDGET)
    assert part in finding


@pytest.mark.parametrize("selector", [{"matchLabels": {"app": "other"}}, {}])
def test_a_budget_has_to_select_the_pods(selector: dict[str, Any]) -> None:
    budget = {"kind": "PodDisruptionBudget", "spec": {"selector": selector}}
    assert findings(workload(), budget) == ["no PodDisruptionBudget selects it"]
