"""The derived values of the Prefect worker, and of what it and its flow runs sign in with at the Prefect server."""

from collections.abc import Mapping
from importlib.metadata import version

from tasks.environment import Environment
from tasks.environment.identity import PrefectCredentials
from tasks.helm.derivations.derivation import Derivation, Outputs
from tasks.helm.derivations.image_cache import cached_image
from tasks.resource_names import name_prefix

Values = Mapping[str, object]

SECRET = "prefect-credentials"  # noqa: S105 - a name
# That of an auth string is fixed by the worker's chart.
KEYS = {"auth_string": "auth-string", "api_key": "key"}
# With these the worker has each run's pod read the secret itself: its job does not hold the key.
OF_RUNS = "PREFECT_INTEGRATIONS_KUBERNETES_WORKER_API_KEY_SECRET"


def prefect_secrets(settings: Environment, _outputs: Outputs) -> Values:
    """The region, and the secret that `environment.prefect.credentials` names."""
    credentials = settings.environment.prefect.credentials
    if credentials is None:
        return {"region": settings.environment.region}
    secret = f"{name_prefix(settings.name)}/{credentials.secret}"
    return {
        "region": settings.environment.region,
        "credentials": {"name": SECRET, "key": KEYS[credentials.kind], "secret": secret},
    }


def prefect_worker(settings: Environment, outputs: Outputs) -> Values:
    """The Prefect server, as whom it is asked, and the pool that it works for; its version is that of the flows."""
    prefect = settings.environment.prefect
    # Prefect Cloud is asked at an address of its own, too: the chart would put that together from two identifiers.
    server: dict[str, object] = {"apiUrl": prefect.api_url}
    worker: dict[str, object] = {
        "selfHostedServerApiConfig": server,
        "config": {"workPool": prefect.work_pools.cluster},
        "image": {
            "repository": cached_image(outputs, "docker.io/prefecthq/prefect"),
            "prefectTag": f"{version('prefect')}-python3.13-kubernetes",
        },
    }
    match prefect.credentials:
        case PrefectCredentials(kind="auth_string"):
            server["basicAuth"] = {"enabled": True, "existingSecret": SECRET}
        case PrefectCredentials(kind="api_key") as credentials:
            key = KEYS[credentials.kind]
            worker["extraEnvVars"] = [
                {"name": credentials.variable, "valueFrom": {"secretKeyRef": {"name": SECRET, "key": key}}},
                {"name": f"{OF_RUNS}_NAME", "value": SECRET},
                {"name": f"{OF_RUNS}_KEY", "value": key},
            ]
        case _:
            pass
    return {"worker": worker}


DERIVATIONS: Mapping[str, Derivation] = {"prefect-secrets": prefect_secrets, "prefect-worker": prefect_worker}
