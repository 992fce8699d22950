"""Scores of answers on their way to Langfuse: queued, sent in the background, and lost when it stays away."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import httpx
import stamina
from langfuse.api import AsyncLangfuseAPI, CreateScoreRequest, ScoreDataType
from langfuse.api.core.api_error import ApiError
from langfuse.api.scores import CreateScoreBatchResults
from pydantic import ValidationError

from agents.metrics import Metrics
from agents.settings import Langfuse
from agents.tracing.masking import mask

QUEUED_SCORES = 2048
BATCHED_SCORES = 100
"""Langfuse takes bodies of 1 MiB; a comment is at most 2,000 characters."""
COLLECT_SECONDS = 1.0
REQUEST_SECONDS = 10.0
ATTEMPTS = 5
RETRY_SECONDS = 60.0
CLOSE_SECONDS = 3.0

log = logging.getLogger(__name__)

ScoreName = Literal["relevancy", "groundedness", "feedback"]


@dataclass(frozen=True)
class Score:
    """What an answer is worth: 0..1, for feedback 0 or 1. A trace has one of each name: a later one replaces it."""

    trace_id: str
    name: ScoreName
    value: float
    comment: str | None = None


class Scores:
    """A bounded queue, and the task that empties it into Langfuse."""

    def __init__(self, langfuse: Langfuse, secret: str, environment: str, metrics: Metrics) -> None:
        self._client = httpx.AsyncClient(timeout=REQUEST_SECONDS)
        self._api = AsyncLangfuseAPI(
            base_url=langfuse.host.rstrip("/"),
            username=langfuse.public_key,
            password=secret,
            httpx_client=self._client,
        ).scores
        self._environment = environment
        self._metrics = metrics
        self._queue: asyncio.Queue[CreateScoreRequest] = asyncio.Queue(QUEUED_SCORES)
        self._sending: asyncio.Task[None] | None = None

    def put(self, score: Score) -> None:
        """Have `score` sent; never waits. When the queue is full the score is dropped and counted."""
        try:
            self._queue.put_nowait(self._request(score))
        except asyncio.QueueFull:
            self._metrics.scores.labels("dropped").inc()

    def start(self) -> None:
        """Begin to send, in the running event loop."""
        self._sending = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Send what is left, for `CLOSE_SECONDS` at most."""
        if self._sending is not None:
            waiting = asyncio.create_task(self._queue.join())
            await asyncio.wait({waiting}, timeout=CLOSE_SECONDS)
            for task in (waiting, self._sending):
                task.cancel()
            await asyncio.wait({waiting, self._sending})
        await self._client.aclose()

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            # Those that come within the same moment travel together.
            await asyncio.sleep(COLLECT_SECONDS)
            while len(batch) < BATCHED_SCORES and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                lost = await self._lost(batch)
            except Exception:  # nobody would begin it anew: the unforeseen may cost one batch, not all of them
                log.exception("sending %d scores failed; they are lost", len(batch))
                lost = len(batch)
            self._metrics.scores.labels("failed").inc(lost)
            self._metrics.scores.labels("sent").inc(len(batch) - lost)
            for _ in batch:
                self._queue.task_done()

    async def _lost(self, batch: Sequence[CreateScoreRequest]) -> int:
        """Send them; how many of them Langfuse did not take."""
        answer = None
        try:
            async for attempt in stamina.retry_context(on=_may_pass, attempts=ATTEMPTS, timeout=RETRY_SECONDS):
                with attempt:
                    # The client's own retries do not cover a server that is not there.
                    answer = await self._api.create(request=[*batch], request_options={"max_retries": 0})
        except (ApiError, httpx.HTTPError, ValidationError) as error:
            # What an answer says is not logged: it may quote what was sent.
            reason = f"status {error.status_code}" if isinstance(error, ApiError) else type(error).__name__
            log.warning("Langfuse did not take %d scores (%s); they are lost", len(batch), reason)
            return len(batch)
        if not isinstance(answer, CreateScoreBatchResults) or answer.rejected <= 0:
            return 0
        log.warning("Langfuse refused %d of %d scores; they are lost", answer.rejected, len(batch))
        return min(answer.rejected, len(batch))

    def _request(self, score: Score) -> CreateScoreRequest:
        return CreateScoreRequest(
            id=f"{score.trace_id}-{score.name}",
            trace_id=score.trace_id,
            name=score.name,
            value=score.value,
            data_type=ScoreDataType.BOOLEAN if score.name == "feedback" else ScoreDataType.NUMERIC,
            comment=None if score.comment is None else mask(score.comment),
            environment=self._environment,
        )


def _may_pass(error: Exception) -> bool:
    if isinstance(error, ApiError):
        return error.status_code is None or error.status_code == 429 or error.status_code >= 500
    return isinstance(error, httpx.TransportError)
