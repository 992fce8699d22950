"""Asks for a refresh of the knowledge base: one flow run by Prefect's API, however many ask.

Source: https://docs.prefect.io/v3/api-ref/rest-api (deployments/name/{flow}/{deployment} and create_flow_run).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import stamina

from agents.refresh_settings import Refresh

ATTEMPTS = 4
REST_SECONDS = 15.0
"""When Prefect could not be asked, it is left alone for so long."""
STARTED_BY = "started-by:agents"
"""The tag of a run that says who asked for it, as the flows write it."""
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 10.0


class RefreshRequests:
    """One request at most for what the sources hold in a time window; replicas agree by the idempotency key.

    The key is environment, fingerprint of the sources and window: a run that failed keeps no other window from one.
    `authorization` is the header of that name; see `prefect_authorization`.
    """

    def __init__(
        self,
        refresh: Refresh,
        authorization: str | None,
        environment: str,
        window: timedelta,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._deployment = refresh.deployment
        self._environment = environment
        self._window = window.total_seconds()
        self._clock = clock
        self._client = httpx.AsyncClient(
            base_url=refresh.api_url.rstrip("/"),
            headers={} if authorization is None else {"Authorization": authorization},
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
        )
        self._asked: str | None = None
        self._asking: asyncio.Task[None] | None = None
        self._failed_at: float | None = None
        self._trouble: str | None = None

    @property
    def state(self) -> str:
        """Whether a refresh was asked for, as a clause."""
        if self._trouble is not None:
            return f"a refresh could not be asked for: {self._trouble}"
        return "a refresh was asked for" if self._asked is not None else "a refresh is being asked for"

    def ask(self, fingerprint: str) -> None:
        """Have a refresh run for sources of this fingerprint, in the background; nothing when it was asked already."""
        key = f"{self._environment}-{fingerprint[:32]}-{int(self._clock() // self._window)}"
        resting = self._failed_at is not None and time.monotonic() - self._failed_at < REST_SECONDS
        if key == self._asked or self._asking is not None or resting:
            return
        self._asking = asyncio.create_task(self._ask(key))

    async def settled(self) -> None:
        """Wait until what is being asked for is answered."""
        if self._asking is not None:
            await asyncio.wait({self._asking})

    async def close(self) -> None:
        """Release the connections."""
        if self._asking is not None:
            self._asking.cancel()
        await self.settled()
        await self._client.aclose()

    async def _ask(self, key: str) -> None:
        try:
            # Replicas notice at the same time, and Prefect answers 503 while its database is busy.
            async for attempt in stamina.retry_context(
                on=_is_passing, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=5.0, wait_jitter=1.0
            ):
                with attempt:
                    await self._start_run(key)
        except httpx.HTTPStatusError as error:
            self._fail(f"Prefect answered {error.response.status_code} for {self._deployment!r}")
        except httpx.HTTPError as error:
            self._fail(f"Prefect at {str(self._client.base_url)!r} does not answer ({type(error).__name__})")
        except (ValueError, KeyError, TypeError):
            self._fail(f"{str(self._client.base_url)!r} answers, but not as Prefect does")
        else:
            self._asked, self._failed_at, self._trouble = key, None, None
        finally:
            self._asking = None

    async def _start_run(self, key: str) -> None:
        flow, _, name = self._deployment.partition("/")
        found = await self._client.get(f"/deployments/name/{flow}/{name}")
        identity = found.raise_for_status().json()["id"]
        body = {"idempotency_key": key, "tags": [STARTED_BY]}
        (await self._client.post(f"/deployments/{identity}/create_flow_run", json=body)).raise_for_status()

    def _fail(self, trouble: str) -> None:
        self._failed_at, self._trouble = time.monotonic(), trouble
        logging.getLogger(__name__).warning("a refresh could not be asked for: %s", trouble)


def _is_passing(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
    return isinstance(error, httpx.TransportError)
