"""The derived values of the releases of the models: what each server runs, where, and with which weights."""

from collections.abc import Mapping
from importlib.metadata import version

import yaml

from tasks.environment import REPOSITORY, Environment
from tasks.environment.models import Model, Serving
from tasks.environment.placement import POOL_KIND, pools_of
from tasks.helm.derivations.capacity import DEVICES
from tasks.helm.derivations.derivation import Derivation, Outputs
from tasks.helm.derivations.gateway import gateway
from tasks.helm.derivations.image_cache import cached_image
from tasks.released_images import require_image
from tasks.weights.places import compiled_prefix, weights_prefix

Values = Mapping[str, object]

CHART_VALUES = REPOSITORY / "infra" / "charts" / "models" / "values.yaml"
REQUESTS_PER_REPLICA = 8


def models(settings: Environment, outputs: Outputs) -> Values:
    """The values of `infra/charts/models`.

    Raises:
        NoPlace: a model fits on no pool.
        ImagesMissing: the images `flows` and `ray` were not published.
    """
    served = {name: model for name, model in sorted(settings.models.catalogue.items()) if model.serving is not None}
    # The programs are the chart's own values: what else goes with them is read there, not said twice.
    programs = yaml.safe_load(CHART_VALUES.read_text(encoding="utf-8"))["images"]
    sdk = str(programs["neuron"]["sdk"])
    images: dict[str, object] = {
        kind: {"repository": cached_image(outputs, str(programs[kind]["repository"]))} for kind in ("gpu", "neuron")
    }
    own = outputs["images"]
    images["loader"] = require_image(settings.name, own, "flows")
    images["ray"] = require_image(settings.name, own, "ray")
    scaled = settings.addons is not None and settings.addons.keda
    values: dict[str, object] = {
        "bucket": outputs["data"]["buckets"]["models"]["name"],
        "region": settings.environment.region,
        "images": images,
        "ray": {"version": version("ray")},
        "servers": {
            name: _server(settings, name, model, sdk, scaled)
            for name, model in served.items()
            if model.runs_on != "kuberay"
        },
        "rayServices": {
            name: _ray_service(settings, name, model, outputs)
            for name, model in served.items()
            # Ray's head alone would cost a node for the night.
            if model.runs_on == "kuberay" and model.replicas > 0
        },
    }
    if scaled:
        values["scaling"] = {"metricsEndpoint": outputs["observability"]["metrics"]["endpoint"]}
    return values


def vllm_arguments(name: str, model: Model) -> list[str]:
    """The arguments of vLLM's OpenAI server, https://docs.vllm.ai/en/stable/cli/serve.html."""
    serving = _serving(model)
    arguments = ["--model=/weights", f"--served-model-name={name}", "--host=0.0.0.0", "--port=8000"]
    arguments += [f"--{key.replace('_', '-')}={value}" for key, value in _engine(model, serving).items()]
    if model.dimension is not None:
        arguments.append("--runner=pooling")
    if serving.neuron is not None:
        arguments.append("--no-enable-prefix-caching")
    return arguments


def _engine(model: Model, serving: Serving) -> dict[str, object]:
    """What decides the shape of the engine, in the names of vLLM's EngineArgs; a compiled model holds for it alone."""
    neuron = serving.neuron
    return {
        "dtype": serving.dtype,
        "max_model_len": model.context_tokens,
        "tensor_parallel_size": neuron.cores if neuron else serving.accelerators,
        **({"max_num_seqs": neuron.batch_size} if neuron else {}),
    }


def _server(settings: Environment, name: str, model: Model, sdk: str, scaled: bool) -> Values:
    serving = _serving(model)
    values: dict[str, object] = {
        **_place(settings, name, model),
        "device": DEVICES[POOL_KIND[model.runs_on]],
        "accelerators": serving.accelerators,
        "replicas": model.replicas,
        "weights": weights_prefix(name, model),
        "arguments": vllm_arguments(name, model),
    }
    if scaled and serving.most_replicas is not None and model.replicas > 0:
        values["mostReplicas"] = serving.most_replicas
    if serving.neuron is not None and model.replicas > 0:
        engine = {"model": "/weights", "enable_prefix_caching": False, **_engine(model, serving)}
        values["compiled"] = {
            "prefix": compiled_prefix(name, model, sdk, engine),
            "cores": serving.neuron.cores,
            "engine": engine,
        }
    return values


def _ray_service(settings: Environment, name: str, model: Model, outputs: Outputs) -> Values:
    serving = _serving(model)
    most = serving.most_replicas or model.replicas
    deployment = {
        "name": "Embedder",
        "ray_actor_options": {"num_cpus": serving.cpus},
        "autoscaling_config": {
            "min_replicas": model.replicas,
            "max_replicas": most,
            "target_ongoing_requests": REQUESTS_PER_REPLICA,
        },
        "max_ongoing_requests": 4 * REQUESTS_PER_REPLICA,
    }
    application = {
        "name": name,
        "import_path": "tasks.embedding.service:build",
        "route_prefix": "/",
        "args": {
            "model": name,
            "bucket": outputs["data"]["buckets"]["models"]["name"],
            "prefix": weights_prefix(name, model),
            "context_tokens": model.context_tokens,
            "threads": model.threads,
        },
        "deployments": [deployment],
    }
    return {
        **_place(settings, name, model),
        "replicas": model.replicas,
        "mostReplicas": most,
        "application": {"http_options": {"host": "0.0.0.0", "port": 8000}, "applications": [application]},  # noqa: S104
    }


def _place(settings: Environment, name: str, model: Model) -> dict[str, object]:
    assert settings.capacity is not None  # noqa: S101 - the model of the file guarantees it on AWS
    serving, pools = _serving(model), pools_of(name, model, settings.capacity)
    (architecture,) = {each.architecture for pool in pools.values() for each in pool.instance_types}
    return {
        "kind": POOL_KIND[model.runs_on],
        "architecture": architecture,
        "pools": sorted(pools),
        "cpus": serving.cpus,
        "memoryGib": serving.memory_gib,
        "startSeconds": serving.start_seconds,
    }


def _serving(model: Model) -> Serving:
    assert model.serving is not None  # noqa: S101 - only models that run in the cluster come here
    return model.serving


DERIVATIONS: Mapping[str, Derivation] = {"models": models, "gateway": gateway}
