"""Every image of others in the charts of the project: which there are, and that a cache of its registry is used."""

from collections.abc import Mapping

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.chart_directory import ChartDirectory
from tasks.helm.command import open_helm
from tasks.helm.image_findings import image_findings, images_of
from tasks.helm.preparation import Sources
from tasks.helm.render_check import RenderedRelease, check_rendering
from tests.charts.own_charts import SAMPLE_IMAGES, sample_outputs

# An environment that caches every registry from which one of these comes.
CACHES = {
    registry: f"111122223333.dkr.ecr.us-east-1.amazonaws.com/{prefix}"
    for registry, prefix in {
        "ghcr.io": "github",
        "public.ecr.aws": "ecr-public",
        "registry-1.docker.io": "docker-hub",
    }.items()
}
# By chart, as they are called upstream. The charts of others have theirs in their own values: `make render` lists both.
THIRD_PARTY = {
    "clickhouse": {"docker-hub/clickhouse/clickhouse-server:26.4.4.38"},
    "gateway": {"github/berriai/litellm-non_root:v1.106.2"},
    "models": {
        "ecr-public/deep-learning-containers/vllm:0.15-gpu-py312-ec2",
        "ecr-public/neuron/pytorch-inference-vllm-neuronx:0.16.0-neuronx-py312-sdk2.31.1-ubuntu24.04",
    },
    "neuron-monitor": {"ecr-public/neuron/neuron-monitor:1.10.0"},
    "access": set[str](),
    "agents": set[str](),
    "capacity": set[str](),
    "knowledge": set[str](),
    "observability": set[str](),
    "prefect-secrets": set[str](),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RenderedRelease]:
    """The releases of `prod` whose charts are the project's."""
    outputs = sample_outputs(EnvironmentName.PROD)
    outputs = {**outputs, "data": {**outputs["data"], "pull_through": CACHES}}
    with open_helm(None) as helm:
        charts = ChartDirectory(tmp_path_factory.mktemp("without-charts"), helm)
        releases = check_rendering(load_environment(EnvironmentName.PROD), outputs, Sources(), charts)
    return {each.name: each for each in releases if each.chart.startswith("infra/charts/")}


def test_the_list_is_of_every_chart_of_ours(own: Mapping[str, RenderedRelease]) -> None:
    assert own.keys() == THIRD_PARTY.keys()
    assert all(release.objects for release in own.values())


@pytest.mark.parametrize("name", THIRD_PARTY)
def test_images_come_from_the_cache_by_an_exact_tag(own: Mapping[str, RenderedRelease], name: str) -> None:
    assert [finding for finding in own[name].findings if finding.startswith("image ")] == []
    images = set(own[name].images) - set(SAMPLE_IMAGES.values())
    assert {image.partition("/")[2] for image in images} == THIRD_PARTY[name]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (
            "public.ecr.aws/karpenter/controller:1.14.1",
            "is pulled from public.ecr.aws, which",
        ),
        ("clickhouse/clickhouse-server:26.4.4.38", "is pulled from docker.io, which"),
        ("nvcr.io/nvidia/k8s-device-plugin:latest", "its tag does not name one version"),
        ("nvcr.io/nvidia/k8s-device-plugin:v0.20", "its tag does not name one version"),
        ("nvcr.io:443/nvidia/k8s-device-plugin", "its tag does not name one version"),
    ],
)
def test_an_image_that_moves_or_goes_around_the_cache_is_found(image: str, said: str) -> None:
    (finding,) = image_findings([image], CACHES)
    assert finding.startswith(f"image {image}: ")
    assert said in finding


def test_a_digest_names_one_version_whatever_the_tag() -> None:
    assert list(image_findings([f"nvcr.io/nvidia/any@sha256:{'0' * 64}"], CACHES)) == []


def test_images_are_found_in_the_pods_of_any_kind() -> None:
    cluster = {"spec": {"headGroupSpec": {"template": {"spec": {"containers": [{"name": "ray", "image": "a"}]}}}}}
    job = {"template": {"spec": {"containers": [{"image": "b"}], "initContainers": [{"image": "c"}]}}}
    assert images_of({"kind": "RayService", "spec": {"rayClusterConfig": cluster}}) == {"a"}
    assert images_of({"kind": "CronJob", "spec": {"jobTemplate": {"spec": job}}}) == {"b", "c"}
