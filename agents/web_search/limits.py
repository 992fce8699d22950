"""How often the outside is asked, and how much is taken from it."""

import time
from collections import deque

import httpx

WINDOW_SECONDS = 60.0


class RateLimited(Exception):
    """Everything that may be asked in a minute has been asked; the message says when to ask again."""


class TooLarge(Exception):
    """An answer is longer than what is taken."""


class RateLimit:
    """At most `most` calls in any minute, for all callers together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: deque[float] = deque()

    def take(self) -> None:
        """Count a call. Raises `RateLimited` when it is one too many; it is not counted then."""
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - WINDOW_SECONDS:
            self._taken.popleft()
        if len(self._taken) >= self._most:
            seconds = self._taken[0] + WINDOW_SECONDS - now
            raise RateLimited(f"at most {self._most} calls per minute are allowed; retry in {seconds:.0f} s")
        self._taken.append(now)


async def read_at_most(response: httpx.Response, most_bytes: int) -> bytes:
    """The body of a streamed response, as it came.

    Raises:
        TooLarge: it is longer than `most_bytes`, or compressed, which hides how long it is.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise TooLarge(f"the answer is compressed ({encoding!r}), though it was not to be")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > most_bytes:
            raise TooLarge(f"the answer is longer than {most_bytes} bytes")
    return bytes(body)
