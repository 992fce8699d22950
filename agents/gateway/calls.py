"""How a call of the gateway is made, and what is an answer."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

import httpx
from openai import APIConnectionError, APIResponseValidationError, APIStatusError, APITimeoutError, RateLimitError

ATTEMPTS = 3
PAUSE_SECONDS = 0.1
"""At least, between one of them and the next."""
_SPENT = "budget_exceeded"
MOST_WAIT_SECONDS = 5
"""Whoever asks waits no longer for a gateway that has too much to do; told to wait longer, it is told so in turn."""
WAIT_JITTER = 0.25

Result = TypeVar("Result")


async def persistently(call: Callable[[], Awaitable[Result]], seconds: float) -> Result:
    """Make a call, again when it did not reach the gateway, or when the gateway said after how many seconds to.

    What the gateway refuses otherwise, it has itself tried again. It is not asked again when the `seconds` that the
    caller has in all would be over: a busy gateway is told as one, and not as one that says nothing.
    """
    end = monotonic() + seconds
    for _ in range(ATTEMPTS - 1):
        try:
            return await call()
        except (APIConnectionError, RateLimitError) as error:
            pause = _pause(error)
            if pause is None or monotonic() + pause >= end:
                raise
        await asyncio.sleep(pause)
    return await call()


def retry_after_seconds(error: APIStatusError) -> int | None:
    """The seconds of `Retry-After`; None when there are none. (No gateway sends the dates that it may hold as well.)"""
    given = error.response.headers.get("retry-after", "")
    return int(given) if given.isdecimal() else None


def budget_is_spent(error: APIStatusError) -> bool:
    """Whether the gateway refused because the service has spent what it may spend there.

    Source: `ProxyErrorTypes` of LiteLLM, which answers with status 422, or 429 where it is told so.
    """
    return error.type == _SPENT


def require_answer(answer: Result, response: httpx.Response, field: str) -> Result:
    """The answer that was read from `response`, which has a list in `field`.

    openai itself passes on whatever came with a good status.

    Raises:
        APIResponseValidationError: it is something else, such as the page of a proxy before the gateway.
    """
    if not isinstance(getattr(answer, field, None), list):
        raise APIResponseValidationError(response, None)
    return answer


def _pause(error: APIConnectionError | RateLimitError) -> float | None:
    """Seconds until the call is made again; None when it is not. Callers shall not come in step."""
    if isinstance(error, RateLimitError):
        seconds = retry_after_seconds(error)
        if seconds is None or seconds > MOST_WAIT_SECONDS:
            return None
        return max(seconds, PAUSE_SECONDS) * (1 + WAIT_JITTER * random.random())  # noqa: S311 - no secret
    if isinstance(error, APITimeoutError) and not isinstance(error.__cause__, httpx.ConnectTimeout):
        return None
    # Nobody was asked yet: the gateway is away, or had no moment to take the connection.
    return PAUSE_SECONDS * (1 + 2 * random.random())  # noqa: S311 - no secret
