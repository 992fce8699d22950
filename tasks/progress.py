"""Waiting for things to go, as long as they get less."""

import time
from collections.abc import Callable, Collection

from tasks.runs.log import run_log

PAUSE_SECONDS = 2


class NoProgress(Exception):
    """What was waited for does not move any more; says what is left, and what holds it."""


def wait_until_gone(
    what: str, look: Callable[[], Collection[str]], why: Callable[[], str], patience_seconds: float
) -> None:
    """Look until nothing is left; what is left may take as long as it gets on.

    `look` describes each thing that is left so that progress with it shows; `why` says what holds the rest, and what to
    do about it.

    Raises:
        NoProgress: for `patience_seconds` nothing was left but what had been left before.
    """
    # All that was seen, and not the last look only: what comes and goes again gets nowhere.
    seen: set[tuple[str, ...]] = set()
    deadline = time.monotonic() + patience_seconds
    while left := tuple(sorted(look())):
        if left not in seen:
            run_log().info("%s: %d left", what, len(left))
            seen.add(left)
            deadline = time.monotonic() + patience_seconds
        if time.monotonic() > deadline:
            raise NoProgress(
                f"{what}: {len(left)} left, and nothing moved for {patience_seconds:.0f} s: {', '.join(left[:5])}"
                f"{' and more' if len(left) > 5 else ''}. {why()}. Run the flow again after that; it goes on from here"
            )
        time.sleep(min(PAUSE_SECONDS, patience_seconds / 10))
