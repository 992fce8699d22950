"""The stage `provision`: what the environment stands on. On a laptop that is the machine itself."""

from dataclasses import asdict

from prefect import flow, get_run_logger

from flows import command_line
from flows.local_only import require_local
from tasks.artifacts import publish_table
from tasks.environment import REPOSITORY, EnvironmentName
from tasks.environment.knowledge import LanceStore
from tasks.environment.variable_file import load_environment
from tasks.machine import check_machine, make_directories, require_fit


@flow(name="provision", persist_result=True)
def provision(environment: EnvironmentName) -> str:
    """Check the machine and make the work directories; there is nothing to install on a laptop.

    Args:
        environment: the environment to provision
    """
    require_local("provision", environment)
    settings = load_environment(environment)
    assert settings.laptop is not None  # noqa: S101 - the model guarantees it for local
    data = REPOSITORY / settings.laptop.data_directory
    checks = check_machine(data)
    publish_table(environment, "provision", "machine", [asdict(check) for check in checks], "What the machine has")
    require_fit(checks)
    store = settings.knowledge.store
    directories = [data, data / "models", *([data / store.directory] if isinstance(store, LanceStore) else [])]
    made = make_directories(directories)
    looked_at = ", ".join(f"{check.name} ({check.found})" for check in checks)
    summary = (
        f"Checked {looked_at}; made {len(made)} of {len(directories)} work directories. "
        "Nothing to provision: a laptop is its own infrastructure."
    )
    get_run_logger().info(summary)
    return summary


if __name__ == "__main__":
    command_line.run(provision)
