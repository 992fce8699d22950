"""Which failures of Ray may pass when a refresh is run again, by the errors that a real Ray raises."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agents.knowledge.store import StoreUnavailable
from tasks.refresh.ray_data import require_token
from tasks.refresh.run_job import may_pass

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", autouse=True)
def own_ray() -> Iterator[None]:
    require_token()
    import ray

    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=2**27)
    yield
    ray.shutdown()


def raising(error: Exception) -> Callable[[Any], Any]:
    # Ray's workers cannot import this file: what is defined in a function is sent to them.
    def raises(_: Any) -> Any:
        raise error

    return raises


def dying() -> Callable[[Any], Any]:
    def dies(_: Any) -> Any:
        os._exit(1)

    return dies


A_FAULT = raising(ValueError("a fault in a stage"))


def failure_of(work: Callable[[], Any]) -> Exception:
    from ray.exceptions import RayError

    with pytest.raises(RayError) as caught:
        work()
    return caught.value


def in_a_task(function: Callable[[Any], Any], given: object = None) -> Callable[[], Any]:
    import ray

    return lambda: ray.get(ray.remote(max_retries=0)(function).remote(given))


def in_a_stage(function: Callable[[Any], Any]) -> Callable[[], Any]:
    import ray.data

    return lambda: ray.data.from_items([{"a": 1}]).flat_map(function).count()


def test_a_fault_of_a_stage_is_there_the_next_time_too() -> None:
    assert not may_pass(failure_of(in_a_stage(A_FAULT)))
    assert not may_pass(failure_of(in_a_task(A_FAULT)))


def test_a_worker_that_is_lost_and_a_store_that_is_away_may_be_back() -> None:
    import ray

    assert may_pass(failure_of(in_a_task(dying())))
    lost = ray.remote(max_retries=0)(dying()).remote(None)
    assert may_pass(failure_of(in_a_task(A_FAULT, lost))), "what waited for it fails with it"
    assert may_pass(failure_of(in_a_task(raising(StoreUnavailable("the store went away")))))
