"""Work that must not happen twice at once in an environment, held apart by Prefect's global concurrency limits."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Literal

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectNotFound

from tasks.environment import EnvironmentName

Purpose = Literal["refresh", "lifecycle", "infrastructure", "addons", "models", "images", "agents", "events", "drill"]
CONCURRENCY_LIMITS: Mapping[Purpose, int] = {
    "refresh": 1,
    "lifecycle": 1,
    "infrastructure": 1,
    "addons": 1,
    "models": 1,
    "images": 1,
    "agents": 1,
    "events": 1,
    "drill": 1,
}
# The shortest lease that Prefect gives: a killed holder blocks the next one no longer than this.
LEASE_SECONDS = 60


def limit_name(environment: EnvironmentName, purpose: Purpose) -> str:
    """The name of the limit in Prefect, such as `local-refresh`."""
    return f"{environment.value}-{purpose}"


@contextmanager
def one_at_a_time(environment: EnvironmentName, purpose: Purpose) -> Generator[None]:
    """Hold the environment's slot for `purpose`, waiting for it without a time limit.

    The slot is leased and renewed while the block runs, so that a killed run frees it. Where the limit
    does not exist, as on a server that was never deployed to, Prefect warns and lets the block run.
    """
    name = limit_name(environment, purpose)
    _say_what_is_waited_for(name)
    with concurrency(name, lease_duration=LEASE_SECONDS):
        yield


def _say_what_is_waited_for(name: str) -> None:
    # Prefect itself waits without a word.
    with get_client(sync_client=True) as client:
        try:
            limit = client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            return
    if limit.active and limit.active_slots >= limit.limit:
        get_run_logger().info(
            "Waiting for another run to free the concurrency limit %r; if that run was killed, this takes about %d s",
            name,
            LEASE_SECONDS,
        )
