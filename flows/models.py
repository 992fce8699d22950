"""The stage `models`: the model servers and the gateway in front of them."""

from dataclasses import asdict

from prefect import flow, get_run_logger
from pydantic import ValidationError

from flows import command_line
from tasks.artifacts import publish_table
from tasks.environment import Environment, EnvironmentName
from tasks.environment.models import SERVED_IN_CLUSTER
from tasks.environment.variable_file import load_environment
from tasks.gateway.clients import register_gateway_clients
from tasks.laptop.data_directory import models_directory
from tasks.laptop.leftovers import remove_component
from tasks.laptop.secret_file import GATEWAY_KEY
from tasks.models.readiness import ModelState, prove_models
from tasks.models.replicas import with_replicas
from tasks.models.rollback import roll_back_models
from tasks.platforms.component_names import GATEWAY, MODEL_SERVERS
from tasks.platforms.components import deploy, ensure_model_files, try_models, wait_until_ready
from tasks.platforms.local_components import LocalComponents, model_roles
from tasks.rollout import roll_out
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.secrets import require_secrets
from tasks.weights.mirroring import mirror_weights
from tasks.wrong_input import WrongInput


class NotOnLaptop(WrongInput):
    """A parameter that only a cluster has a use for."""


class ConflictingParameters(WrongInput):
    """Parameters that contradict each other."""


class ImpossibleReplicas(WrongInput):
    """The environment's node pools cannot hold so many servers; says which, and what there is."""


@flow(name="models", persist_result=True, on_running=[record_origin])
def models(environment: EnvironmentName, replicas: int | None = None, rollback_to: int | None = None) -> str:
    """Serve the models and try each through the gateway.

    Args:
        environment: the environment whose models are served
        replicas: so many servers for each model of the cluster instead of what the file says; 0 for the night
        rollback_to: the revision of the release `models` to go back to; the table of releases has the numbers
    """
    settings = load_environment(environment)
    if settings.laptop is not None:
        if replicas is not None or rollback_to is not None:
            raise NotOnLaptop(f"replicas and rollback_to are for clusters; {environment.value!r} is a laptop")
        summary = serve_on_laptop(settings)
    else:
        summary = serve_in_cluster(settings, replicas, rollback_to)
    get_run_logger().info(summary)
    return summary


def serve_in_cluster(settings: Environment, replicas: int | None, rollback_to: int | None) -> str:
    """Mirror the weights, roll servers and gateway out, let clients in, ask each model; never two runs at once."""
    if replicas is not None and rollback_to is not None:
        raise ConflictingParameters(
            f"replicas = {replicas} and rollback_to = {rollback_to}: ask for one, then for the other"
        )
    wanted = scaled(settings, replicas)
    with one_at_a_time(settings.name, "models"):
        require_secrets(settings, "models")
        if rollback_to is not None:
            done = f"The release models is back at revision {rollback_to}, as revision "
            done += f"{roll_back_models(settings, rollback_to)}."
        else:
            mirror_all(wanted)
            results = roll_out(wanted, "models")
            rolled_out = (f"{result.name}: {result.action}, revision {result.revision}" for result in results)
            done = f"{'; '.join(rolled_out)}."
        clients = register_gateway_clients(settings)
        states = prove_models(wanted)
    publish_table(settings.name, "models", "latency", rows(states), "Models, as they answer through the gateway")
    publish_table(settings.name, "models", "clients", [each.row for each in clients], "Who has a key of the gateway")
    asked = ", ".join(f"{state.model}: {state.outcome}" for state in states if state.outcome is not None)
    return f"{done} Asked through the gateway: {asked or 'no model, as all are scaled to zero'}"


def scaled(settings: Environment, replicas: int | None) -> Environment:
    """The environment with so many servers of each model, or as its file says.

    Raises:
        ImpossibleReplicas: there cannot be so many.
    """
    if replicas is None:
        return settings
    try:
        return with_replicas(settings, replicas)
    except ValidationError as error:
        problems = dict.fromkeys(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        why = "; ".join(problems)
        raise ImpossibleReplicas(f"replicas = {replicas}: {why}") from error


def mirror_all(settings: Environment) -> None:
    """Have the weights of all models that run in the cluster in the environment's bucket."""
    served = [name for name, model in settings.models.catalogue.items() if model.runs_on in SERVED_IN_CLUSTER]
    mirrored = [asdict(mirror_weights(settings, name)) for name in sorted(served)]
    publish_table(settings.name, "models", "weights", mirrored, "The weights in the environment's bucket")


def rows(states: list[ModelState]) -> list[dict[str, object]]:
    """A row a model: where it runs, whether it answered, how fast, and how long its server took to start."""
    return [
        {
            "model": state.model,
            "runs on": state.runs_on,
            "replicas": state.replicas,
            "answered": state.outcome.value if state.outcome else None,
            "latency ms": None if state.latency_ms is None else round(state.latency_ms),
            "tokens or dimension": state.size,
            "cold start s": None if state.cold_start_seconds is None else round(state.cold_start_seconds),
            # What is long comes last: the Prefect UI cuts the table at its right.
            "seen": state.seen,
        }
        for state in states
    ]


def serve_on_laptop(settings: Environment) -> str:
    """Run the model servers and the gateway as processes, and try each model."""
    components = LocalComponents.of(settings)
    platform = components.platform
    roles = model_roles(settings)
    for role, name in roles.items():
        packaged = settings.models.catalogue[name].packaged
        assert packaged is not None  # noqa: S101 - the model of the file guarantees it for processes
        files = ensure_model_files(name, packaged, models_directory(settings))
        deploy(platform, components.model_server(role, files))
    # The gateway loads while the model servers do.
    deploy(platform, components.gateway())
    for component in (*roles, GATEWAY):
        wait_until_ready(platform, component)
    deployed = {state.name for state in platform.list_components()}
    for component in sorted(deployed.intersection(MODEL_SERVERS) - roles.keys()):
        remove_component(platform, component)
    tried = try_models(platform.address(GATEWAY), platform.secrets[GATEWAY_KEY], settings.models)
    table = [
        {"model": row.model, "kind": row.kind, "latency ms": round(row.latency_ms), "tokens or dimension": row.size}
        for row in tried
    ]
    publish_table(settings.name, "models", "latency", table, "Models, as they answer through the gateway")
    return ", ".join(f"{row.model} answers in {row.latency_ms:.0f} ms" for row in tried)


if __name__ == "__main__":
    command_line.run(models)
