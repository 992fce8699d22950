"""The stage `teardown`: remove all that the other stages made, and prove it."""

from prefect import flow, get_run_logger

from flows import command_line
from flows.local_only import require_local
from flows.wrong_input import WrongInput
from tasks.artifacts import publish_table
from tasks.data_directory import lifecycle_summary_file, models_directory
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.leftovers import delete, remove_component, require_gone
from tasks.platforms.local_components import AGENTS, GATEWAY, LocalComponents, model_roles


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
    platform = LocalComponents.of(settings).platform
    data = platform.data_directory
    components = [AGENTS, GATEWAY, *model_roles(settings)]
    for name in components:
        remove_component(platform, name)
    store = settings.knowledge.store
    paths = [
        *(data / name for name in ("agents.json", "gateway.yaml", "evaluations")),
        *(platform.log_path(name) for name in components),
        *([data / store.directory] if store.engine == "lancedb" else []),
        models_directory(settings),
        lifecycle_summary_file(settings),
    ]
    gone = delete(paths)
    require_gone(platform, components, paths)
    rows = [{"what": what} for what in (*components, *gone)]
    publish_table(environment, "teardown", "gone", rows, "What was removed; nothing is left of it")
    get_run_logger().info("removed %d components and %d paths; nothing is left", len(components), len(gone))
    return gone


if __name__ == "__main__":
    command_line.run(teardown)
