"""Which failures of a task are worth another try."""

from collections.abc import Sequence

import pytest
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient

from agents.knowledge.store import StoreUnavailable, UnknownGeneration
from tasks.evaluation.inputs import golden_inputs
from tasks.kubernetes.faults import ApiAway, ClusterFault
from tasks.restore_drill.knowledge import drill_knowledge
from tasks.runs.outages import TRIES_AGAIN, may_be_over_soon

pytestmark = pytest.mark.prefect_server


def attempts_at(failures: Sequence[Exception]) -> tuple[int, object]:
    """How often a task is tried whose attempts fail so, one after the other, and what comes of it."""
    left = list(failures)
    tries = 0

    @task(cache_policy=NO_CACHE, retries=TRIES_AGAIN, retry_delay_seconds=0, retry_condition_fn=may_be_over_soon)
    def read() -> str:
        nonlocal tries
        tries += 1
        if left:
            raise left.pop(0)
        return "read"

    @flow
    def reading() -> object:
        return read(return_state=True).result(raise_on_failure=False)

    outcome = reading()
    return tries, outcome


@pytest.mark.parametrize("outage", [StoreUnavailable("503"), ApiAway("it starts again")])
def test_an_outage_that_is_over_ends_nothing(outage: Exception, prefect_client: SyncPrefectClient) -> None:
    assert attempts_at([outage, outage]) == (3, "read")


@pytest.mark.parametrize("failure", [UnknownGeneration("g1"), ClusterFault("403"), ValueError("1")])
def test_what_cannot_succeed_is_not_tried_again(failure: Exception, prefect_client: SyncPrefectClient) -> None:
    assert attempts_at([failure]) == (1, failure)


def test_reads_of_the_store_are_tried_again_in_scheduled_runs() -> None:
    assert {each.retry_condition_fn for each in (golden_inputs, drill_knowledge)} == {may_be_over_soon}
    assert {each.retries for each in (golden_inputs, drill_knowledge)} == {TRIES_AGAIN}
