"""The derived values of the release of the gateway: its configuration, and where its secrets and stores are."""

from collections.abc import Mapping
from importlib.metadata import version

from tasks.environment import Environment
from tasks.gateway.configuration import GATEWAY_ENVIRONMENT, SharedState, ValkeyCache, render_gateway_configuration
from tasks.helm.derivations.derivation import Outputs
from tasks.helm.derivations.image_cache import cached_image
from tasks.resource_names import name_prefix

CLIENT = "litellm"
MASTER_KEY = "litellm-master-key"
"""The secret that the gateway lets in."""
MODEL_PORT = 8000
# Beyond what the service lets an answer take, so that it is the service that gives up, and says so.
MARGIN_SECONDS = 30


def gateway(settings: Environment, outputs: Outputs) -> Mapping[str, object]:
    """The values of `infra/charts/gateway`."""
    server = outputs["data"]["postgres"].get(CLIENT)
    values: dict[str, object] = {
        # The version whose configuration the tests load.
        "image": {
            "repository": cached_image(outputs, "ghcr.io/berriai/litellm-non_root"),
            "tag": f"v{version('litellm')}",
        },
        "region": settings.environment.region,
        "configuration": cluster_gateway_configuration(settings, outputs),
        "environment": dict(GATEWAY_ENVIRONMENT),
        "masterKey": f"{name_prefix(settings.name)}/{MASTER_KEY}",
    }
    if server is not None:
        values["postgres"] = {
            "host": server["host"],
            "port": server["port"],
            "database": server["database"],
            "secret": server["secret_arn"],
        }
    return values


def cluster_gateway_configuration(settings: Environment, outputs: Outputs) -> str:
    """LiteLLM's configuration in the environment's cluster: models by the addresses of their services."""
    assert settings.data is not None  # noqa: S101 - the model guarantees it on AWS
    cache = outputs["valkey"][CLIENT] if CLIENT in settings.data.valkey else None
    shared = SharedState(
        postgres=CLIENT in outputs["data"]["postgres"],
        # The cache is called as Terraform calls it: infra/modules/data/valkey.tf.
        cache=ValkeyCache(cache["host"], cache["port"], cache["user"], f"{name_prefix(settings.name)}-{CLIENT}")
        if cache
        else None,
    )
    seconds = settings.agents.answer_seconds + MARGIN_SECONDS
    return render_gateway_configuration(
        settings.models, model_addresses(settings), settings.environment.region, seconds, shared
    )


def model_addresses(settings: Environment) -> dict[str, str]:
    """The base URL of each model that runs in the cluster, by its name."""
    addresses: dict[str, str] = {}
    for name, model in settings.models.catalogue.items():
        if model.runs_on == "kuberay":
            # What KubeRay calls the service of a RayService's healthy workers.
            addresses[name] = f"http://{name}-serve-svc.ray.svc.cluster.local:{MODEL_PORT}"
        elif model.serving is not None:
            addresses[name] = f"http://{name}.models.svc.cluster.local:{MODEL_PORT}"
    return addresses
