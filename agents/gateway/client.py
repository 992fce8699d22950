"""The models, as the gateway's OpenAI-compatible API offers them."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import contextmanager
from math import ceil
from typing import NamedTuple, TypeVar

import httpx
from openai import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
)
from openai.types.chat import ChatCompletionMessageParam
from openai.types.shared_params.response_format_json_schema import JSONSchema
from pydantic import BaseModel, ValidationError

from agents.gateway.calls import budget_is_spent, persistently, require_answer, retry_after_seconds
from agents.gateway.circuit import Circuit
from agents.knowledge.generation import EmbeddingIdentity
from agents.settings import Gateway, Models, gateway_key
from agents.token_estimate import cut_to_tokens, estimate_tokens
from agents.tracing.model_calls import ModelCalls

CONNECT_SECONDS = 2.0
EMBED_SECONDS = 15.0
LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=16)
"""Every request asks each idle connection whether it is still there, so that few of them are kept."""
FIRST_TOKEN_SHARE = 0.5
"""Of the time for an answer: a model that has not begun by then is not waited for, and counted as failing."""
STOP = ["Question:"]
"""Small models go on with questions of their own once they have answered."""
BUSY_SECONDS = 5
"""Whoever asked in vain because all was too slow may ask again after so long."""
_DOWN_SECONDS = 10
_OUTAGE = 500
_SPENT_SECONDS = 600

Shape = TypeVar("Shape", bound=BaseModel)


class GatewayUnavailable(Exception):
    """The gateway, or the model behind it, does not answer; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MisshapenAnswer(Exception):
    """A model was asked for JSON of a certain shape and wrote something else, of so many `tokens` by our estimate."""

    def __init__(self, message: str, tokens: int) -> None:
        super().__init__(message)
        self.tokens = tokens


class Piece(NamedTuple):
    """A piece of what a model writes: the one that was asked, or another one, when the gateway says that it is."""

    text: str
    model: str


class ModelGateway:
    """A connection pool to the gateway. `last_chat` is when (monotonic seconds) the answering model last answered.

    A call that could not be made is tried again, with jitter, and a model that fails again and again is left alone for
    a while. To turn to another model is the gateway's own affair.
    """

    def __init__(self, gateway: Gateway, models: Models, answer_seconds: float, calls: ModelCalls) -> None:
        self._models = models
        self._embedding_models = models.embeddings
        self._calls = calls
        self._url = gateway.base_url
        self._circuits: defaultdict[str, Circuit] = defaultdict(Circuit)
        self._first_token_seconds = FIRST_TOKEN_SHARE * answer_seconds
        self.last_chat: float | None = None
        timeout = httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS)
        self._client = AsyncOpenAI(
            base_url=gateway.base_url,
            api_key=gateway_key(gateway),
            max_retries=0,
            timeout=timeout,
            http_client=DefaultAsyncHttpxClient(base_url=gateway.base_url, timeout=timeout, limits=LIMITS),
        )
        # Asked for here, because openai imports 500 modules for them, which would stop the event loop at a question.
        self._embeddings, self._completions = self._client.embeddings, self._client.chat.completions

    async def embed(self, text: str, by: EmbeddingIdentity, *, probing: bool = False) -> list[float]:
        """The vector of `text` (shape: the model's dimension); text beyond the model's context is cut off.

        `by` is one of the embedding models of the settings.

        `probing` asks also while the model is left alone.

        Raises:
            GatewayUnavailable: no answer, or a vector of another length than the settings say.
        """
        model = self._embedding_models[by]
        # Two tokens are the model's own, at the beginning and at the end.
        text = cut_to_tokens(text, model.context_tokens - 2)
        with self._calls.embedding(model.name, text, model.dimension) as call:
            with self._guarded(model.name, probing):
                response = await persistently(
                    lambda: self._embeddings.with_raw_response.create(
                        model=model.name,
                        input=text,
                        encoding_format="float",
                        timeout=httpx.Timeout(EMBED_SECONDS, connect=CONNECT_SECONDS),
                    ),
                    EMBED_SECONDS,
                )
                answer = require_answer(response.parse(), response.http_response, "data")
            _let_go(response.http_response)
            call.answered(response.headers)
            call.reported(answer.usage)
        vector = answer.data[0].embedding if answer.data else []
        if len(vector) != model.dimension:
            raise GatewayUnavailable(
                f"{model.name!r} at {self._url} made a vector of {len(vector)} numbers instead of {model.dimension}",
                _DOWN_SECONDS,
            )
        return vector

    async def stream_chat(
        self, messages: Iterable[ChatCompletionMessageParam], answer_tokens: int, *, probing: bool = False
    ) -> AsyncGenerator[Piece]:
        """The reasoning model's answer, piece by piece; closing the iterator ends the call at the model too.

        Raises:
            GatewayUnavailable: no answer, one that did not begin in time, or the stream broke off.
        """
        model = self._models.reasoning
        with (
            self._calls.chat(model.name, messages, answer_tokens) as call,
            self._guarded(model.name, probing) as circuit,
        ):
            async with asyncio.timeout(self._first_token_seconds) as beginning:
                stream = await persistently(
                    lambda: self._completions.create(
                        model=model.name,
                        messages=messages,
                        max_tokens=answer_tokens,
                        temperature=0,
                        stop=STOP,
                        stream=True,
                        stream_options={"include_usage": True},
                    ),
                    self._first_token_seconds,
                )
                call.answered(stream.response.headers)
                try:
                    async with stream:
                        async for piece in stream:
                            if beginning.when() is not None:
                                beginning.reschedule(None)
                                circuit.began()
                            self.last_chat = time.monotonic()
                            call.reported(piece.usage)
                            if piece.choices and (text := piece.choices[0].delta.content):
                                writer: str = getattr(piece, "model", model.name)
                                call.heard(text, writer)
                                yield Piece(text, writer)
                except (GeneratorExit, asyncio.CancelledError):
                    # Who has read enough, or went away, says nothing against a model that had begun.
                    if beginning.when() is None:
                        circuit.succeeded()
                    raise
                finally:
                    _let_go(stream.response)
                if beginning.when() is not None:
                    raise APIResponseValidationError(stream.response, None)

    async def fill(
        self,
        model: str,
        messages: Iterable[ChatCompletionMessageParam],
        shape: type[Shape],
        answer_tokens: int,
        seconds: float,
    ) -> Shape:
        """What `model` says, as JSON of this shape.

        Raises:
            GatewayUnavailable: no answer within `seconds`, in all.
            MisshapenAnswer: the answer is not of that shape.
        """
        schema: JSONSchema = {"name": shape.__name__, "schema": shape.model_json_schema(), "strict": True}
        with self._calls.chat(model, messages, answer_tokens, streaming=False) as call:
            with self._guarded(model, probing=False):
                async with asyncio.timeout(seconds):
                    response = await persistently(
                        lambda: self._completions.with_raw_response.create(
                            model=model,
                            messages=messages,
                            max_tokens=answer_tokens,
                            temperature=0,
                            response_format={"type": "json_schema", "json_schema": schema},
                            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
                        ),
                        seconds,
                    )
                    answer = require_answer(response.parse(), response.http_response, "choices")
            _let_go(response.http_response)
            text = answer.choices[0].message.content if answer.choices else None
            call.answered(response.headers)
            call.reported(answer.usage)
            call.heard(text or "", getattr(answer, "model", model))
        try:
            return shape.model_validate_json(text or "")
        except ValidationError as error:
            # What it wrote instead is told to nobody: it may be anything.
            message = f"{model!r} did not answer as {shape.__name__}"
            raise MisshapenAnswer(message, estimate_tokens(text or "")) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @contextmanager
    def _guarded(self, model: str, probing: bool) -> Generator[Circuit]:
        """Leave a model alone that keeps failing, count how this call ends, and say which model failed, and where."""
        circuit = self._circuits[model]
        if not probing and not circuit.allows():
            wait = max(1, ceil(circuit.open_for))
            raise GatewayUnavailable(f"{circuit.reason}; no further calls for {wait} s", wait)
        try:
            yield circuit
        except (APIError, httpx.HTTPError, TimeoutError, ValueError) as error:
            unavailable = _unavailable(f"model {model!r} at {self._url}", error)
            if not isinstance(error, APIStatusError) or error.status_code >= _OUTAGE:
                circuit.failed(str(unavailable))
            raise unavailable from error
        circuit.succeeded()


def _let_go(response: httpx.Response) -> None:
    """End the cycle of a response that was read and its stream, which leaves both to the garbage collector."""
    response.stream = httpx.ByteStream(b"")


def _unavailable(where: str, error: Exception) -> GatewayUnavailable:
    # Bodies of refusals are not passed on: a gateway quotes the key that it refused.
    if isinstance(error, APITimeoutError | TimeoutError):
        return GatewayUnavailable(f"{where} did not answer in time", BUSY_SECONDS)
    if isinstance(error, APIConnectionError):
        return GatewayUnavailable(f"{where} cannot be reached", _DOWN_SECONDS)
    if isinstance(error, APIStatusError) and budget_is_spent(error):
        return GatewayUnavailable(f"{where} refused, because the service's budget there is spent", _SPENT_SECONDS)
    if isinstance(error, APIStatusError):
        wait = retry_after_seconds(error)
        refused = f"{where} refused with status {error.status_code}"
        return GatewayUnavailable(refused, _DOWN_SECONDS if wait is None else wait)
    if isinstance(error, APIResponseValidationError | ValueError):
        return GatewayUnavailable(f"{where} answered with something that is not a model's answer", _DOWN_SECONDS)
    return GatewayUnavailable(f"{where} broke off its answer ({type(error).__name__})", BUSY_SECONDS)
