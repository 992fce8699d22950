"""The state in which a run ends that has something to say."""

from typing import Any, Protocol

from prefect import State, get_run_logger
from prefect.states import Completed


class Outcome(Protocol):
    """What came of a run."""

    @property
    def summary(self) -> str:
        """In one line."""
        ...


def completed_with(outcome: Outcome) -> State[Any]:
    """The state that says what came of the run, and holds it: a list of runs shows no log."""
    get_run_logger().info(outcome.summary)
    return Completed(message=outcome.summary, data=outcome)
