"""The stage `teardown`: remove all that the other stages made, and prove it."""

from prefect import flow, get_run_logger

from flows import command_line
from flows.local_only import require_local
from flows.wrong_input import WrongInput
from tasks.artifacts import publish_table
from tasks.concurrency_limits import one_at_a_time
from tasks.data_directory import agent_settings_file, lifecycle_summary_file, models_directory
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.evaluation_inputs import reports_directory
from tasks.leftovers import delete, remove_component, require_gone
from tasks.platforms.component_names import AGENTS, GATEWAY
from tasks.platforms.local_components import LocalComponents, model_roles


class NotConfirmed(WrongInput):
    """The name that confirms the teardown is not the environment's."""


@flow(name="teardown", persist_result=True)
def teardown(environment: EnvironmentName, confirm: str) -> list[str]:
    """Stop and delete what the environment's stages made. Prefect itself lives outside the environment and stays.

    Args:
        environment: the environment to remove
        confirm: the name of the environment once more
    """
    require_local("teardown", environment)
    if confirm != environment.value:
        raise NotConfirmed(f"confirm = {confirm!r} must be {environment.value!r}; nothing was removed")
    settings = load_environment(environment)
    with one_at_a_time(environment, "lifecycle"), one_at_a_time(environment, "refresh"):
        components, gone = remove(settings)
    rows = [{"what": what} for what in (*components, *gone)]
    publish_table(environment, "teardown", "gone", rows, "What was removed; nothing is left of it")
    get_run_logger().info("removed %d components and %d paths; nothing is left", len(components), len(gone))
    return gone


def remove(settings: Environment) -> tuple[list[str], list[str]]:
    """Stop and delete what the stages made, and look for it; returns the components and the paths that are gone."""
    platform = LocalComponents.of(settings).platform
    data = platform.data_directory
    components = [AGENTS, GATEWAY, *model_roles(settings)]
    removed = {name: remove_component(platform, name) for name in components}
    store = settings.knowledge.store
    paths = [
        agent_settings_file(settings),
        reports_directory(settings),
        models_directory(settings),
        lifecycle_summary_file(settings),
        data / "gateway.yaml",
        *([data / store.directory] if store.engine == "lancedb" else []),
        *(path for name in components for path in sorted(platform.logs.glob(f"{name}*.log*"))),
    ]
    gone = delete(paths)
    require_gone(platform, removed, paths)
    return components, gone


if __name__ == "__main__":
    command_line.run(teardown)
