"""The charts that the project owns, rendered and installed with the values that derive from an environment file."""

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.cluster import Cluster
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.command import open_helm
from tasks.helm.derivations.agents import EMBEDDING_FINGERPRINT, Version, present_version
from tasks.helm.derived_values import derived_values
from tasks.helm.rendering import ChartInstance, Manifest, render
from tasks.helm.values import Layer, LayeredValues

ON_AWS = (EnvironmentName.DEV, EnvironmentName.PROD)
OUTPUTS = REPOSITORY / "infra" / "tests" / "outputs"
SAMPLE_IMAGES = {name: f"registry.example.com/{name}@sha256:{'0' * 64}" for name in ("agents", "flows", "ray")}
NAMESPACE = "kube-system"
KUBERNETES = "1.35.0"
WITHIN_SECONDS = 300


def sample_outputs(environment: EnvironmentName) -> dict[str, Any]:
    """Outputs as Terraform gives them for an environment, with images of the project beside them."""
    text = (OUTPUTS / f"{environment.value}.json").read_text(encoding="utf-8")
    outputs = {name: output["value"] for name, output in json.loads(text).items()}
    return {**outputs, "images": SAMPLE_IMAGES, EMBEDDING_FINGERPRINT: "0" * 64}


def sample_version(environment: EnvironmentName) -> Version:
    """A version of the agents other than the released one."""
    image = f"registry.example.com/agents@sha256:{'1' * 64}"
    return present_version(load_environment(environment), sample_outputs(environment), image)


def chart_instance(
    name: str,
    environment: EnvironmentName,
    changes: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> ChartInstance:
    """The chart `name` with its derived values; `changes` are laid over them, `facts` over the sample outputs."""
    settings = load_environment(environment)
    derived = derived_values(name, settings, {**sample_outputs(environment), **(facts or {})})
    layers = (Layer("derived", derived), Layer("changes", changes or {}))
    return ChartInstance(name, NAMESPACE, REPOSITORY / "infra" / "charts" / name, LayeredValues(layers))


def rendered(
    name: str,
    environment: EnvironmentName,
    changes: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> list[Manifest]:
    """The objects of the chart `name`."""
    with open_helm(None) as helm:
        return render(chart_instance(name, environment, changes, facts), helm, KUBERNETES)


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """The objects of a kind, by name."""
    return {manifest["metadata"]["name"]: manifest for manifest in manifests if manifest["kind"] == kind}


def install(
    cluster: Cluster, name: str, environment: EnvironmentName, changes: Mapping[str, Any] | None = None
) -> None:
    """Install or upgrade the chart `name` with helm; `changes` are laid over its derived values."""
    instance = chart_instance(name, environment, changes)
    arguments = ["upgrade", name, str(instance.chart), "--install", "--namespace", NAMESPACE, "--values", "-"]
    with open_helm(cluster.kubeconfig) as helm:
        helm.run(f"install {name}", arguments, WITHIN_SECONDS, stdin=json.dumps(instance.values.merged))
