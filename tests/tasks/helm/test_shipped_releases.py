"""The releases that are shipped: which there are, in which order, with which values; no chart of others is needed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest

from rehearsal.cluster.programs import CONTROL_PLANE, KARPENTER, RAY_OPERATOR
from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import load_environment
from tasks.helm.derivations.agents import EMBEDDING_FINGERPRINT
from tasks.helm.derived_values import DERIVATIONS
from tasks.helm.preparation import Prepared, Sources, described_releases, prepare
from tasks.helm.releases_file import STAGES, OwnChart, load_releases

OUTPUTS = REPOSITORY / "infra" / "tests" / "outputs"
ENVIRONMENTS = ("dev", "prod")
SAMPLE_IMAGES = {name: f"registry.example.com/{name}@sha256:{'0' * 64}" for name in ("agents", "flows", "ray")}
NODE_AGENTS = {"fluent-bit", "node-exporter", "nvidia-device-plugin", "dcgm-exporter", "neuron-device-plugin"}


def sample_outputs(environment: str) -> dict[str, Any]:
    text = (OUTPUTS / f"{environment}.json").read_text(encoding="utf-8")
    return {name: output["value"] for name, output in json.loads(text).items()}


@pytest.fixture(params=ENVIRONMENTS)
def settings(request: pytest.FixtureRequest) -> Environment:
    return load_environment(request.param)


@pytest.fixture
def outputs(settings: Environment) -> dict[str, Any]:
    return {**sample_outputs(settings.name.value), "images": SAMPLE_IMAGES, EMBEDDING_FINGERPRINT: "0" * 64}


@pytest.fixture
def prepared(settings: Environment, outputs: dict[str, Any]) -> dict[str, Prepared]:
    return {item.name: item for stage in STAGES for item in prepare(settings, outputs, Sources(), stage)}


def test_nodes_come_before_what_runs_on_them(settings: Environment) -> None:
    releases = described_releases(settings, Sources())
    order = list(releases)
    assert order.index("karpenter") < order.index("capacity")
    on_new_nodes = ("kuberay-operator", "kube-state-metrics", "keda", "prefect-worker")
    assert all(order.index("capacity") < order.index(name) for name in on_new_nodes if name in releases)
    waiting = {name for name, release in releases.items() if "capacity" in release.needs}
    assert waiting.isdisjoint(NODE_AGENTS)


def test_what_the_environment_file_switches_off_is_no_release() -> None:
    dev, prod = (set(described_releases(load_environment(name), Sources())) for name in ENVIRONMENTS)
    assert {"grafana-operator", "external-dns"}.isdisjoint(dev)
    assert {"grafana-operator", "nvidia-device-plugin", "neuron-device-plugin"} <= prod


def test_every_derivation_is_of_a_release_and_gives_plain_values(
    settings: Environment, outputs: dict[str, Any], prepared: Mapping[str, Prepared]
) -> None:
    assert set(DERIVATIONS) <= set(load_releases())
    for name in set(DERIVATIONS) & set(prepared):
        values = DERIVATIONS[name](settings, outputs)
        assert json.loads(json.dumps(values)) == values


def test_service_accounts_are_those_that_aws_knows(outputs: dict[str, Any], prepared: Mapping[str, Prepared]) -> None:
    identities = outputs["identity"]["pod_identities"]
    for name in ("karpenter", "aws-load-balancer-controller", "external-secrets", "fluent-bit", "prefect-worker"):
        account: Any = prepared[name].values.merged["serviceAccount"]
        found = {"namespace": prepared[name].release.namespace, "service_account": account["name"]}
        assert found.items() <= identities[name].items()


def test_the_logs_of_each_namespace_go_to_its_group(
    settings: Environment, outputs: dict[str, Any], prepared: Mapping[str, Prepared]
) -> None:
    config: Any = prepared["fluent-bit"].values.merged["config"]
    pipeline = json.loads(config["extraFiles"]["pipeline.yaml"])["pipeline"]
    groups = {each["match"].removesuffix(".*"): each["log_group_name"] for each in pipeline["outputs"]}
    assert groups == outputs["observability"]["pod_log_groups"]
    assert {each["region"] for each in pipeline["outputs"]} == {settings.environment.region}
    assert {each["tag"] for each in pipeline["inputs"]} == {each["match"] for each in pipeline["filters"]}
    assert [each["path"] for each in pipeline["inputs"] if each["tag"] == "ray.*"] == [
        "/var/log/containers/*_ray_*.log"
    ]


def test_images_of_cached_registries_come_from_the_cache(
    outputs: dict[str, Any], prepared: Mapping[str, Prepared]
) -> None:
    cache = outputs["data"]["pull_through"]
    image: Any = prepared["kuberay-operator"].values.merged["image"]
    assert image["repository"] == f"{cache['quay.io']}/kuberay/operator"
    assert "ghcr.io" not in cache
    operator: Any = prepared["external-secrets"].values.merged["image"]
    assert operator["repository"] == "ghcr.io/external-secrets/external-secrets"


def test_the_versions_are_those_that_are_rehearsed(settings: Environment) -> None:
    releases = load_releases()
    versions = {
        name: chart.version
        for name, chart in {name: release.chart for name, release in releases.items()}.items()
        if not isinstance(chart, OwnChart)
    }
    assert settings.cluster is not None
    assert versions["karpenter"] == KARPENTER.version.removeprefix("v")
    assert versions["kuberay-operator"] == RAY_OPERATOR.version.removeprefix("v")
    assert CONTROL_PLANE.version.startswith(f"v{settings.cluster.kubernetes_version}.")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_sample_outputs_are_what_terraform_declares(environment: str) -> None:
    infra = REPOSITORY / "infra"
    outputs = sample_outputs(environment)
    assert set(outputs) == set(_declared(infra / "outputs.tf"))
    whole = ("cluster", "edge", "encryption", "firewall", "identity", "network", "search")
    for module in whole:
        assert set(outputs[module]) == set(_declared(infra / "modules" / module / "outputs.tf"))
    assert set(outputs["data"]) | {"valkey"} == set(_declared(infra / "modules" / "data" / "outputs.tf"))
    assert set(outputs["observability"]) | {"grafana"} == set(
        _declared(infra / "modules" / "observability" / "outputs.tf")
    )


def _declared(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [name.strip('"') for output in hcl2.load(file)["output"] for name in output]
