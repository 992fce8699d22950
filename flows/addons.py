"""The stage `addons`: the platform's components. On a laptop they are processes, which other stages start."""

from prefect import flow, get_run_logger

from flows import command_line
from flows.local_only import require_local
from tasks.artifacts import publish_markdown
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.releases import HELM_VALUES, releases_of


class ReleasesOnLaptop(Exception):
    """The repository describes Helm releases for the laptop, which has no cluster to install them in."""


@flow(name="addons", persist_result=True)
def addons(environment: EnvironmentName) -> str:
    """Check that no Helm release is described for the laptop; there is nothing to install on it.

    Args:
        environment: the environment whose components are installed
    """
    require_local("addons", environment)
    settings = load_environment(environment)
    if releases := releases_of(environment):
        raise ReleasesOnLaptop(f"{HELM_VALUES} has values for {environment.value!r} in {releases!r}; remove them")
    processes = sorted(name for name, model in settings.models.catalogue.items() if model.runs_on == "process")
    summary = (
        f"Checked {HELM_VALUES.name}/: no release has values for {environment.value!r}. Nothing to install: "
        f"the platform's components are processes here, among them the models {', '.join(processes)}."
    )
    publish_markdown(environment, "addons", "releases", summary, "Helm releases")
    get_run_logger().info(summary)
    return summary


if __name__ == "__main__":
    command_line.run(addons)
