"""Outages that may be over in a moment: the failures for which a task is tried again."""

from typing import Any

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun

from agents.knowledge.store import StoreUnavailable
from tasks.kubernetes.faults import ApiAway
from tasks.runs.state import PrefectAway

TRIES_AGAIN = 2
SECONDS_BETWEEN_TRIES = 30
"""A node of a store, and an API server, are back within a minute when they start again."""


def may_be_over_soon(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """Whether an outage ended the task, and not something that ends it again; a `retry_condition_fn`."""
    return isinstance(state.result(raise_on_failure=False), StoreUnavailable | ApiAway | PrefectAway)
