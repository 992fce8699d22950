"""Work that must not happen twice at once in an environment, held apart by Prefect's global concurrency limits."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Literal

from prefect.concurrency.sync import concurrency

from tasks.environment import EnvironmentName

Purpose = Literal["refresh", "lifecycle"]
CONCURRENCY_LIMITS: Mapping[Purpose, int] = {"refresh": 1, "lifecycle": 1}
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
    with concurrency(limit_name(environment, purpose), lease_duration=LEASE_SECONDS):
        yield
