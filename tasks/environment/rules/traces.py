"""Traces go to one place, and are measured only where they are."""

from typing import TYPE_CHECKING

from tasks.environment.identity import EnvironmentName

if TYPE_CHECKING:
    from tasks.environment import Environment


def require_one_place_for_traces(environment: "Environment") -> None:
    """On AWS the add-ons say where traces go, and nothing else does. Raises `ValueError`."""
    if environment.agents.tracing is not None and environment.name is not EnvironmentName.LOCAL:
        raise ValueError("agents.tracing is for 'local'; where the traces of every other go, addons.langfuse says")


def require_traces_to_measure(environment: "Environment") -> None:
    """Only traces that go to Langfuse can be measured. Raises `ValueError`."""
    to_langfuse = environment.agents.tracing is not None or (
        environment.addons is not None and environment.addons.langfuse is not None
    )
    if environment.evaluation.traces is not None and not to_langfuse:
        raise ValueError(
            "evaluation.traces measures what is in Langfuse, where no traces go: set addons.langfuse (on a laptop "
            "agents.tracing), or leave it out"
        )
