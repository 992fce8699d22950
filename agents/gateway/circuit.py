"""A circuit breaker: what keeps failing, call after call for a while, is left alone for a while.

Source: M. Nygard, "Release It!", 2007. None of the libraries for it is kept up and typed, and it is a few lines.
"""

import time
from collections.abc import Callable

FAILURES = 5
"""In a row; then the circuit opens, if they did not all come at once."""
FAILING_SECONDS = 3.0
"""From the first of them to the last. A gateway that gets no processor for a moment fails all calls of that moment."""
OPEN_SECONDS = 5.0


class Circuit:
    """Opens after `FAILURES` in a row that took `FAILING_SECONDS` or more, by `clock`, which tells seconds.

    After `OPEN_SECONDS` one call at a time is let through, until an answer begins. `reason` is of the last failure.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._first_failed_at = 0.0
        self._opened_at: float | None = None
        self.reason = ""

    @property
    def open_for(self) -> float:
        """Seconds until the next call is let through; 0 when one may be made now."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + OPEN_SECONDS - self._clock())

    def allows(self) -> bool:
        """Whether a call may be made now; when one is let through on trial, others have to wait for it."""
        if self.open_for > 0:
            return False
        if self._opened_at is not None:
            self._opened_at = self._clock()
        return True

    def began(self) -> None:
        """An answer begins: others need not wait, but failures are forgotten only once it `succeeded`."""
        self._opened_at = None

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0
        self._opened_at = None

    def failed(self, reason: str) -> None:
        """A call was not answered, for `reason`."""
        now, self.reason = self._clock(), reason
        if self._failures == 0:
            self._first_failed_at = now
        self._failures += 1
        if self._failures >= FAILURES and now - self._first_failed_at >= FAILING_SECONDS:
            self._opened_at = now
