"""The stage `addons`: the platform's components. On a laptop they are processes, which other stages start."""

from enum import StrEnum

from prefect import flow, get_run_logger

from flows import command_line
from tasks.artifacts import publish_markdown
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.releases import HELM_VALUES, releases_of
from tasks.rollout import plan_rollout, roll_out
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.secrets import require_secrets
from tasks.wrong_input import WrongInput


class Mode(StrEnum):
    """Whether the releases are rolled out, or it is only said what a rollout would change."""

    PLAN = "plan"
    APPLY = "apply"


class ReleasesOnLaptop(Exception):
    """The repository describes Helm releases for the laptop, which has no cluster to install them in."""


class NothingToPlan(WrongInput):
    """A plan was asked for where nothing is installed."""


@flow(name="addons", persist_result=True, on_running=[record_origin])
def addons(environment: EnvironmentName, mode: Mode = Mode.APPLY) -> str:
    """Roll out the add-ons of the cluster in the order in which they need each other, and prove each.

    Args:
        environment: the environment whose components are installed
        mode: apply rolls out; plan only shows what would change
    """
    settings = load_environment(environment)
    summary = check_laptop(settings, mode) if settings.laptop is not None else bring_to_cluster(settings, mode)
    get_run_logger().info(summary)
    return summary


def bring_to_cluster(settings: Environment, mode: Mode) -> str:
    """Roll out to the environment's cluster, or plan to; two runs never work on it at once."""
    with one_at_a_time(settings.name, "addons"):
        if mode is Mode.PLAN:
            planned = plan_rollout(settings, "addons")
            changes = [f"{release.name}: {release.action}" for release in planned if release.action != "unchanged"]
            return f"A rollout would change {len(changes)} of {len(planned)} releases. {', '.join(changes)}".strip()
        require_secrets(settings, "addons")
        results = roll_out(settings, "addons")
    changes = [f"{result.name}: {result.action}" for result in results if result.action != "unchanged"]
    return f"{len(results)} releases, {len(changes)} of them changed. {', '.join(changes)}".strip()


def check_laptop(settings: Environment, mode: Mode) -> str:
    """Check that no Helm release is described for the laptop; there is nothing to install on it."""
    environment = settings.name
    if mode is Mode.PLAN:
        raise NothingToPlan(f"mode = {mode.value!r} is for environments on AWS; {environment.value!r} has no cluster")
    if releases := releases_of(environment):
        raise ReleasesOnLaptop(f"{HELM_VALUES} has values for {environment.value!r} in {releases!r}; remove them")
    processes = sorted(name for name, model in settings.models.catalogue.items() if model.runs_on == "process")
    summary = (
        f"Checked {HELM_VALUES.name}/: no release has values for {environment.value!r}. Nothing to install: "
        f"the platform's components are processes here, among them the models {', '.join(processes)}."
    )
    publish_markdown(environment, "addons", "releases", summary, "Helm releases")
    return summary


if __name__ == "__main__":
    command_line.run(addons)
