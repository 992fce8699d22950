"""Whether a cluster's models answer: real requests through the gateway, and how long their servers took to start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.environment.models import Model, Models
from tasks.environment_outputs import load_outputs
from tasks.gateway.key import accepted_gateway_key, forwarded_client
from tasks.gateway.smoke_test import SmokeResult, roles_of, smoke_test
from tasks.helm.derivations.gateway import MASTER_KEY
from tasks.helm.target import open_target
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.objects import PODS, list_all
from tasks.kubernetes.port_forward import forwarded
from tasks.kubernetes.probe_result import Outcome
from tasks.kubernetes.workloads import simulated_nodes
from tasks.secret_value import stored_values

GATEWAY_NAMESPACE, GATEWAY, GATEWAY_PORT = "gateway", "litellm", 4000
NAMESPACES = {"gpu": "models", "neuron": "models", "kuberay": "ray"}
NAME_LABEL = "app.kubernetes.io/name"
Pod = Mapping[str, Any]


@dataclass(frozen=True)
class ModelState:
    """One model of the catalogue: what is known of it after a rollout.

    `outcome` is None for a model that was not asked: it plays no role, or is scaled to zero. `cold_start_seconds` is
    from the making of a pod to its readiness, nodes and weights included, of the slowest of its pods.
    """

    model: str
    runs_on: str
    replicas: int
    outcome: Outcome | None
    seen: str
    latency_ms: float | None = None
    size: int | None = None
    cold_start_seconds: float | None = None


@task(task_run_name="prove-models", cache_policy=NO_CACHE, persist_result=False)
def prove_models(settings: Environment) -> list[ModelState]:
    """Ask every model that plays a role and is not scaled to zero for a real answer through the gateway.

    Where the gateway or a model has its pods on simulated nodes, nothing can answer: the outcome is not-proved.

    Raises:
        GatewayKeyRefused, HTTPError: the gateway lets in no value of its key, or does not answer.
        GatewayRefused: a model does not answer, or its vectors have another length than the environment file says.
        ForwardFailed: no way leads to the gateway.
        ClusterFault: the cluster refuses or does not answer.
    """
    outputs = load_outputs(settings.name)
    with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
        pods = _pods_of(target.connection, settings.models)
        held = sorted({_node(pod) for each in pods.values() for pod in each} & simulated_nodes(target.connection))
        asked = models_to_ask(settings.models)
        if held:
            seen = f"pods are on simulated nodes such as {held[0]}, which run nothing"
            return _states(settings.models, dict.fromkeys(asked, (Outcome.NOT_PROVED, seen)), {}, {})
        keys = stored_values(settings, MASTER_KEY)
        assert keys  # noqa: S101 - the stage does not begin without this secret
        with forwarded(destination.kubeconfig, GATEWAY_NAMESPACE, f"service/{GATEWAY}", GATEWAY_PORT) as address:
            with forwarded_client(address) as gateway:
                key = accepted_gateway_key(gateway, keys)
            answers = {row.model: row for row in smoke_test(address, key.get_secret_value(), settings.models, asked)}
    found = {name: (Outcome.PROVED, f"answered with {row.size} {_unit(row)}") for name, row in answers.items()}
    return _states(settings.models, found, answers, {name: cold_start_seconds(each) for name, each in pods.items()})


def simulated_gateway_node(connection: Connection) -> str | None:
    """A simulated node that holds a pod of the gateway, which then answers nobody; None where all may run."""
    held = {_node(pod) for pod in _pods_in(connection, {(GATEWAY_NAMESPACE, GATEWAY): GATEWAY}).get(GATEWAY, ())}
    return min(held & simulated_nodes(connection), default=None)


def models_to_ask(models: Models) -> list[str]:
    """The models that play a role and have at least one replica, in the order of the roles."""
    return [name for name in roles_of(models) if models.catalogue[name].replicas > 0]


def cold_start_seconds(pods: Sequence[Pod]) -> float | None:
    """How long the slowest of the ready pods took from its making to its readiness; None without a ready pod."""
    times = [
        (_time(condition["lastTransitionTime"]) - _time(pod["metadata"]["creationTimestamp"])).total_seconds()
        for pod in pods
        for condition in pod.get("status", {}).get("conditions") or ()
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]
    return max(times, default=None)


def _pods_of(connection: Connection, models: Models) -> dict[str, list[Pod]]:
    """The pods of each model that runs in the cluster by the model's name, and those of the gateway by its own."""
    wanted = {
        (NAMESPACES[model.runs_on], name): name
        for name, model in models.catalogue.items()
        if model.runs_on in NAMESPACES
    }
    wanted[(GATEWAY_NAMESPACE, GATEWAY)] = GATEWAY
    return _pods_in(connection, wanted)


def _pods_in(connection: Connection, wanted: Mapping[tuple[str, str], str]) -> dict[str, list[Pod]]:
    found: dict[str, list[Pod]] = {}
    for pod in list_all(connection, PODS):
        metadata = pod["metadata"]
        name = wanted.get((metadata["namespace"], (metadata.get("labels") or {}).get(NAME_LABEL, "")))
        if name is not None:
            found.setdefault(name, []).append(pod)
    return found


def _states(
    models: Models,
    outcomes: Mapping[str, tuple[Outcome, str]],
    answers: Mapping[str, SmokeResult],
    starts: Mapping[str, float | None],
) -> list[ModelState]:
    return [
        _state(name, model, outcomes.get(name), answers.get(name), starts.get(name))
        for name, model in sorted(models.catalogue.items())
    ]


def _state(
    name: str, model: Model, outcome: tuple[Outcome, str] | None, answer: SmokeResult | None, start: float | None
) -> ModelState:
    unasked = "scaled to zero" if model.replicas == 0 else "plays no role"
    return ModelState(
        name,
        model.runs_on,
        model.replicas,
        outcome[0] if outcome else None,
        outcome[1] if outcome else unasked,
        answer.latency_ms if answer else None,
        answer.size if answer else None,
        start,
    )


def _unit(row: SmokeResult) -> str:
    return "tokens" if row.kind == "chat" else "numbers"


def _node(pod: Pod) -> str:
    return str(pod["spec"].get("nodeName", ""))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
