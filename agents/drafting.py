"""The reasoning model's draft of an answer, sentence by sentence."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from agents.evaluation.sentences import Sentence, SentenceBuffer
from agents.gateway.client import Piece
from agents.limits.budget import Budget
from agents.token_estimate import estimate_tokens


class Draft:
    """Reads a model's stream as far as the next sentence is asked for; `close` ends the model's work.

    What the model wrote is counted in `budget`; `model` is the one that wrote last, None before it did.
    """

    def __init__(self, stream: AsyncGenerator[Piece], budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self.model: str | None = None
        self._buffer = SentenceBuffer()
        self._ready: deque[Sentence] = deque()
        self._seen: set[str] = set()
        self._finished = False

    async def next_sentence(self, seconds: float) -> Sentence | None:
        """The next sentence; None when the draft is complete, or begins to repeat itself as small models do.

        Raises:
            TimeoutError: the sentence was not there after `seconds`.
            GatewayUnavailable: the model does not answer.
        """
        # Not `wait_for`: it reads in a task of its own, which may still be reading when the stream is closed.
        async with asyncio.timeout(max(seconds, 0)):
            sentence = await self._next()
        if sentence is None or sentence.text in self._seen:
            return None
        self._seen.add(sentence.text)
        return sentence

    async def _next(self) -> Sentence | None:
        while not self._ready and not self._finished:
            piece = await anext(self._stream, None)
            if piece is None:
                self._finished = True
                self._ready.extend(self._buffer.finish())
            else:
                self.model = piece.model
                self._budget.wrote(estimate_tokens(piece.text))
                self._ready.extend(self._buffer.feed(piece.text))
        return self._ready.popleft() if self._ready else None

    async def close(self) -> None:
        """Stop the model call."""
        await self._stream.aclose()
