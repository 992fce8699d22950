"""The vectors of one question: by each embedding model that is asked for one, made once."""

import asyncio
import time

from agents.gateway.client import ModelGateway
from agents.knowledge.generation import EmbeddingIdentity


class QuestionVectors:
    """Calls embedding models; `close` ends the calls that are still going on.

    A generation is searched by the vector of its own model, and which generation serves may change while a question is
    being answered.
    """

    def __init__(self, gateway: ModelGateway, question: str) -> None:
        self._gateway = gateway
        self._question = question
        self._calls: dict[EmbeddingIdentity, asyncio.Task[list[float]]] = {}
        self.milliseconds = 0.0
        """How long the models that have answered took."""

    def begin(self, model: EmbeddingIdentity) -> None:
        """Call a model, unless it was called before."""
        if model not in self._calls:
            self._calls[model] = asyncio.create_task(self._embed(model))

    async def by(self, model: EmbeddingIdentity) -> list[float]:
        """The question's vector by this model.

        Raises:
            GatewayUnavailable: the question cannot be embedded.
        """
        self.begin(model)
        return await self._calls[model]

    async def close(self) -> None:
        """Stop what is still going on; when nothing is, this waits for nothing, and cannot be cancelled."""
        going_on = {call for call in self._calls.values() if not call.done()}
        for call in self._calls.values():
            call.cancel()
            call.add_done_callback(_take_notice)
        if going_on:
            await asyncio.wait(going_on)

    async def _embed(self, model: EmbeddingIdentity) -> list[float]:
        began = time.perf_counter()
        vector = await self._gateway.embed(self._question, model)
        self.milliseconds += 1000 * (time.perf_counter() - began)
        return vector


def _take_notice(call: asyncio.Task[list[float]]) -> None:
    if not call.cancelled():
        call.exception()  # what nobody asked for any more is no error of the event loop
