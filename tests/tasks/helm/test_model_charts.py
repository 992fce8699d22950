"""The charts of models and gateway with the derived values of `dev` and `prod`, rendered by the real helm."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tasks.environment import REPOSITORY, Environment
from tasks.environment.variable_file import load_environment
from tasks.helm.command import Helm, open_helm
from tasks.helm.derived_values import derived_values
from tasks.helm.releases_file import InvalidReleases
from tasks.helm.rendering import ChartInstance, Manifest, render
from tasks.helm.values import Layer, LayeredValues
from tasks.models.replicas import with_replicas
from tests.tasks.helm.test_shipped_releases import SAMPLE_IMAGES, sample_outputs

# Since vLLM 0.10, https://docs.vllm.ai/en/stable/cli/serve.html; the program itself is too large to be installed here.
VLLM_OPTIONS = {
    "--model",
    "--served-model-name",
    "--host",
    "--port",
    "--dtype",
    "--max-model-len",
    "--tensor-parallel-size",
    "--max-num-seqs",
    "--no-enable-prefix-caching",
    "--runner",
}
Objects = Mapping[tuple[str, str], Manifest]


@pytest.fixture(scope="module")
def helm() -> Iterator[Helm]:
    with open_helm(None) as helm:
        yield helm


def derived(settings: Environment, chart: str) -> Mapping[str, Any]:
    return derived_values(chart, settings, {**sample_outputs(settings.name.value), "images": SAMPLE_IMAGES})


def rendered(helm: Helm, chart: str, values: Mapping[str, Any]) -> Objects:
    layers = LayeredValues((Layer("the test", values),))
    instance = ChartInstance(chart, chart, REPOSITORY / "infra" / "charts" / chart, layers)
    return {(each["kind"], each["metadata"]["name"]): each for each in render(instance, helm, "1.35.4")}


def pod(workload: Manifest) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_model_of_the_cluster_has_a_server_where_it_fits(helm: Helm, name: str) -> None:
    settings = load_environment(name)
    objects = rendered(helm, "models", derived(settings, "models"))

    for model, device in (("qwen2-5-7b-instruct", "nvidia.com/gpu"), ("qwen3-8b", "aws.amazon.com/neuron")):
        described = pod(objects["Deployment", model])
        (server,) = described["containers"]
        assert server["resources"]["limits"][device] == "1"
        assert [each["key"] for each in described["tolerations"]] == [device]
        assert {argument.partition("=")[0] for argument in server["args"]} <= VLLM_OPTIONS
        assert server["startupProbe"]["periodSeconds"] * server["startupProbe"]["failureThreshold"] == 1800
        assert server["securityContext"]["readOnlyRootFilesystem"] is True
        assert {"Service", "PodDisruptionBudget"} <= {kind for kind, called in objects if called == model}
    assert ("ScaledObject" in {kind for kind, _ in objects}) == (name == "prod")


def test_a_neuron_model_waits_for_the_job_that_compiles_it(helm: Helm) -> None:
    objects = rendered(helm, "models", derived(load_environment("dev"), "models"))
    (job,) = [each for (kind, _), each in objects.items() if kind == "Job"]
    waiting = pod(objects["Deployment", "qwen3-8b"])["initContainers"][1]["args"]
    (upload,) = pod(job)["containers"]

    assert upload["args"][0] == "keep"
    assert upload["args"][4] == waiting[4]
    assert "/neuron-2.31.1/" in waiting[4]
    assert pod(job)["serviceAccountName"] == "models-compiler"
    assert json.loads(pod(job)["initContainers"][2]["args"][1])["tensor_parallel_size"] == 2


def job_of(helm: Helm, values: Mapping[str, Any]) -> str:
    (name,) = [name for kind, name in rendered(helm, "models", values) if kind == "Job"]
    assert len(name) <= 63
    return name


def test_another_shape_is_another_job_and_another_place(helm: Helm) -> None:
    dev = load_environment("dev")
    changed = dev.model_dump(mode="json")
    changed["models"]["catalogue"]["qwen3-8b"]["serving"]["neuron"]["batch_size"] = 4
    other = Environment.model_validate(changed, strict=False)

    first, second = (derived(each, "models") for each in (dev, other))

    assert job_of(helm, first) != job_of(helm, second)
    assert place_of(first) != place_of(second)
    assert derived(dev, "models") == first


def test_another_image_is_another_job_that_finds_what_was_compiled(helm: Helm) -> None:
    before: Any = derived(load_environment("dev"), "models")
    after = {**before, "images": {**before["images"], "loader": before["images"]["loader"].replace("0", "1")}}

    assert before["images"] != after["images"]
    assert job_of(helm, before) != job_of(helm, after)
    assert place_of(before) == place_of(after)


def place_of(values: Mapping[str, Any]) -> str:
    return values["servers"]["qwen3-8b"]["compiled"]["prefix"]


def test_embeddings_are_a_ray_service_with_a_token_whose_head_scales_the_workers(helm: Helm) -> None:
    objects = rendered(helm, "models", derived(load_environment("prod"), "models"))
    service = objects["RayService", "all-minilm-l6-v2"]
    cluster = service["spec"]["rayClusterConfig"]
    (workers,) = cluster["workerGroupSpecs"]

    assert (cluster["authOptions"], cluster["enableInTreeAutoscaling"]) == ({"mode": "token"}, True)
    assert (workers["minReplicas"], workers["maxReplicas"]) == (3, 12)
    assert workers["template"]["spec"]["nodeSelector"]["kubernetes.io/arch"] == "arm64"
    assert cluster["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}
    assert "import_path: tasks.embedding.service:build" in service["spec"]["serveConfigV2"]


def test_at_night_no_server_is_left(helm: Helm) -> None:
    objects = rendered(helm, "models", derived(with_replicas(load_environment("prod"), 0), "models"))

    assert {each["spec"]["replicas"] for (kind, _), each in objects.items() if kind == "Deployment"} == {0}
    assert {"RayService", "Job", "ScaledObject"}.isdisjoint(kind for kind, _ in objects)


def test_the_gateway_is_spread_and_its_secrets_come_from_secrets_manager(helm: Helm) -> None:
    objects = rendered(helm, "gateway", derived(load_environment("prod"), "gateway"))
    deployment = objects["Deployment", "litellm"]
    (constraint,) = pod(deployment)["topologySpreadConstraints"]
    secret = objects["ExternalSecret", "litellm"]

    assert deployment["spec"]["replicas"] == 2
    assert constraint["whenUnsatisfiable"] == "DoNotSchedule"
    assert pod(deployment)["serviceAccountName"] == "litellm"
    assert [each["secretKey"] for each in secret["spec"]["data"]] == [
        "LITELLM_MASTER_KEY",
        "DATABASE_USERNAME",
        "DATABASE_PASSWORD",
    ]
    assert "Secret" not in {kind for kind, _ in objects}


# which chart, the path of a value, what it is set to, and what the schema says
WRONG = {
    "an unknown key": ("models", ("colour",), "red", "colour"),
    "no digest for our image": ("models", ("images", "loader"), "flows:latest", "images.loader"),
    "a negative number": ("models", ("servers", "qwen3-8b", "replicas"), -1, "servers.qwen3-8b.replicas"),
    "another accelerator": ("models", ("servers", "qwen3-8b", "device"), "amd.com/gpu", "servers.qwen3-8b.device"),
    "one replica of the gateway": ("gateway", ("replicas",), 1, "replicas"),
    "a floating tag": ("gateway", ("image", "tag"), "latest", "image.tag"),
}


@pytest.mark.parametrize(("chart", "path", "value", "named"), WRONG.values(), ids=WRONG.keys())
def test_the_schema_refuses_wrong_values(
    helm: Helm, chart: str, path: tuple[str, ...], value: object, named: str
) -> None:
    values: Any = json.loads(json.dumps(derived(load_environment("dev"), chart)))
    here = values
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value

    with pytest.raises(InvalidReleases, match=named):
        rendered(helm, chart, values)
