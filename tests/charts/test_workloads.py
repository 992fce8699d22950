"""What every workload of the project's own charts states, whatever kind of object it is part of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.command import open_helm
from tasks.helm.preparation import Sources, prepare, render_content
from tasks.helm.releases_file import STAGES, Chart, OwnChart, load_releases
from tests.charts.own_charts import KUBERNETES, ON_AWS, sample_outputs

ARCHITECTURE, ZONE = "kubernetes.io/arch", "topology.kubernetes.io/zone"
CHARTS = REPOSITORY / "infra" / "charts"
# One on every node, whichever that is; none can be spread, and none is disturbed before its node.
ON_EVERY_NODE = "DaemonSet"
# What ends by itself is one pod at a time, and done again when it is lost.
ENDS_BY_ITSELF = ("Job", "CronJob", "RayJob")
# A Ray cluster has one head; what it does is done by workers.
RAY_HEAD, RAY_WORKERS, RAY_ROLE = ".headGroupSpec.", ".workerGroupSpecs.", "ray.io/node-type"


@dataclass(frozen=True)
class PodTemplate:
    """The pods of one object; `path` says where in it they are described."""

    kind: str
    name: str
    namespace: str
    path: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def title(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name} {self.path}"

    @property
    def has_replicas(self) -> bool:
        """Whether there may be several of them, of which some must stay."""
        return self.kind not in (ON_EVERY_NODE, *ENDS_BY_ITSELF) and RAY_HEAD not in self.path

    @property
    def all_labels(self) -> Mapping[str, str]:
        """With what the KubeRay operator adds."""
        return {**self.labels, **({RAY_ROLE: "worker"} if RAY_WORKERS in self.path else {})}


@cache
def manifests(environment: EnvironmentName) -> list[tuple[str, Mapping[str, Any]]]:
    """The objects of all own charts with the namespace that each lands in."""
    settings = load_environment(environment)
    found: list[tuple[str, Mapping[str, Any]]] = []
    with open_helm(None) as helm:
        for stage in STAGES:
            for item in prepare(settings, sample_outputs(environment), Sources(), stage):
                if not isinstance(item.release.chart, OwnChart):
                    continue
                content = render_content(item, helm, KUBERNETES, own_path)
                for manifest in content.manifests:
                    found.append((manifest["metadata"].get("namespace", item.release.namespace), manifest))
    return found


def own_path(_: str, chart: Chart) -> Path:
    assert isinstance(chart, OwnChart)
    return REPOSITORY / chart.path


def pod_templates(environment: EnvironmentName) -> list[PodTemplate]:
    return [
        PodTemplate(str(manifest["kind"]), manifest["metadata"]["name"], namespace, path, labels, spec)
        for namespace, manifest in manifests(environment)
        for path, labels, spec in _templates(manifest, "")
    ]


def _templates(part: Any, path: str) -> Iterator[tuple[str, Mapping[str, str], Mapping[str, Any]]]:
    """Every `{metadata, spec: {containers}}` in an object, however deep: custom resources have them, too."""
    if isinstance(part, Mapping):
        spec = part.get("spec")
        if isinstance(spec, Mapping) and "containers" in spec:
            yield path, (part.get("metadata") or {}).get("labels") or {}, spec
        else:
            for key, value in part.items():
                yield from _templates(value, f"{path}.{key}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _templates(value, f"{path}.{index}")


def containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*spec["containers"], *(spec.get("initContainers") or ())]


def podsecurity(namespace: str) -> str:
    """The standard of a namespace; those of the cluster itself have none."""
    namespaces = yaml.safe_load((CHARTS / "access" / "values.yaml").read_text(encoding="utf-8"))["namespaces"]
    return namespaces[namespace]["podSecurity"] if namespace in namespaces else "privileged"


def test_every_own_chart_is_a_release() -> None:
    released = {release.chart.path for release in load_releases().values() if isinstance(release.chart, OwnChart)}
    assert released == {str(path.parent.relative_to(REPOSITORY)) for path in CHARTS.glob("*/Chart.yaml")}


@pytest.mark.parametrize("environment", ON_AWS)
def test_its_architecture(environment: EnvironmentName) -> None:
    assert [each.title for each in pod_templates(environment) if not states_architecture(each.spec)] == []


def states_architecture(spec: Mapping[str, Any]) -> bool:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or []
    in_every_term = [
        any(expression["key"] == ARCHITECTURE for expression in term.get("matchExpressions") or ()) for term in terms
    ]
    return ARCHITECTURE in (spec.get("nodeSelector") or {}) or (bool(terms) and all(in_every_term))


@pytest.mark.parametrize("environment", ON_AWS)
def test_what_it_needs(environment: EnvironmentName) -> None:
    lacking = [
        f"{each.title}: {container['name']}"
        for each in pod_templates(environment)
        for container in containers(each.spec)
        if not {"cpu", "memory"} <= ((container.get("resources") or {}).get("requests") or {}).keys()
    ]
    assert lacking == []


@pytest.mark.parametrize("environment", ON_AWS)
def test_its_spread_over_zones(environment: EnvironmentName) -> None:
    lacking: list[str] = []
    for each in pod_templates(environment):
        if not each.has_replicas:
            continue
        spreads = [
            spread
            for spread in each.spec.get("topologySpreadConstraints") or ()
            if spread["topologyKey"] == ZONE
            and spread["labelSelector"]["matchLabels"].items() <= each.all_labels.items()
        ]
        if not spreads:
            lacking.append(each.title)
    assert lacking == []


@pytest.mark.parametrize("environment", ON_AWS)
def test_how_it_may_be_disturbed(environment: EnvironmentName) -> None:
    budgets = [
        (namespace, manifest["spec"]["selector"]["matchLabels"])
        for namespace, manifest in manifests(environment)
        if manifest["kind"] == "PodDisruptionBudget"
    ]
    lacking = [
        each.title
        for each in pod_templates(environment)
        if each.has_replicas
        and not any(
            namespace == each.namespace and selected.items() <= each.all_labels.items()
            for namespace, selected in budgets
        )
    ]
    assert lacking == []


@pytest.mark.parametrize("environment", ON_AWS)
def test_that_it_gains_no_privileges(environment: EnvironmentName) -> None:
    lacking: list[str] = []
    for each in pod_templates(environment):
        standard = podsecurity(each.namespace)
        for container in containers(each.spec):
            own = container.get("securityContext") or {}
            both = {**(each.spec.get("securityContext") or {}), **own}
            wanted = {
                "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
                "capabilities": "ALL" in (own.get("capabilities") or {}).get("drop", ()),
                "seccompProfile": (both.get("seccompProfile") or {}).get("type") == "RuntimeDefault",
                "runAsNonRoot": both.get("runAsNonRoot") is True or standard != "restricted",
            }
            if standard != "privileged":
                lacking += [f"{each.title}: {container['name']}: {what}" for what, so in wanted.items() if not so]
    assert lacking == []
