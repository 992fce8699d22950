"""The stage `models`: the model servers and the gateway in front of them."""

from prefect import flow, get_run_logger

from flows import command_line
from flows.local_only import require_local
from tasks.artifacts import publish_table
from tasks.components import deploy, ensure_model_files, try_models, wait_until_ready
from tasks.data_directory import models_directory
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.platforms.component_names import GATEWAY
from tasks.platforms.local_components import LocalComponents, model_roles
from tasks.secret_file import GATEWAY_KEY


@flow(name="models", persist_result=True)
def models(environment: EnvironmentName) -> str:
    """Serve the models and try each through the gateway.

    Args:
        environment: the environment whose models are served
    """
    require_local("models", environment)
    settings = load_environment(environment)
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
    tried = try_models(platform.address(GATEWAY), platform.secrets[GATEWAY_KEY], settings.models)
    rows = [
        {"model": row.model, "kind": row.kind, "latency ms": round(row.latency_ms), "tokens or dimension": row.size}
        for row in tried
    ]
    publish_table(environment, "models", "latency", rows, "Models, as they answer through the gateway")
    summary = ", ".join(f"{row.model} answers in {row.latency_ms:.0f} ms" for row in tried)
    get_run_logger().info(summary)
    return summary


if __name__ == "__main__":
    command_line.run(models)
