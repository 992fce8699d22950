"""The flows that faults strike, by the name that the child program is told; each is imported when it is run."""

from collections.abc import Callable
from typing import Any


def refresh(given: dict[str, Any]) -> None:
    """Run the refresh of the local environment, or go back to a generation."""
    from flows.knowledge import knowledge
    from tasks.environment import EnvironmentName

    knowledge(EnvironmentName.LOCAL, directory=given["directory"], rollback_to=given["rollback_to"])


def provision(_: dict[str, Any]) -> None:
    """Provision `dev` without a person."""
    from flows.provision import provision as flow
    from tasks.environment import EnvironmentName

    flow(EnvironmentName.DEV, auto_approve=True)


def addons(_: dict[str, Any]) -> None:
    """Roll out the add-ons of `dev`."""
    from flows.addons import addons as flow
    from tasks.environment import EnvironmentName

    flow(EnvironmentName.DEV)


def agents(_: dict[str, Any]) -> None:
    """Release the agent service of the local environment."""
    from flows.agents import agents as flow
    from tasks.environment import EnvironmentName

    flow(EnvironmentName.LOCAL)


def agents_in_cluster(given: dict[str, Any]) -> None:
    """Release a version of the agent service of `dev`."""
    from flows.agents import agents as flow
    from tasks.environment import EnvironmentName

    flow(EnvironmentName.DEV, version=given["version"], requested_by="ann")


def evaluation(_: dict[str, Any]) -> None:
    """Evaluate the local environment, unless a report says all already."""
    from flows.evaluation import evaluation as flow
    from tasks.environment import EnvironmentName

    flow(EnvironmentName.LOCAL, reuse=True)


FLOWS: dict[str, Callable[[dict[str, Any]], None]] = {
    "refresh": refresh,
    "provision": provision,
    "addons": addons,
    "agents": agents,
    "agents in a cluster": agents_in_cluster,
    "evaluation": evaluation,
}
