"""The models, as the gateway's OpenAI-compatible API offers them."""

import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import httpx
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from agents.settings import Gateway, Models, gateway_key
from agents.token_estimate import cut_to_tokens

CONNECT_SECONDS = 2.0
EMBED_SECONDS = 15.0
STOP = ["Question:"]
"""Small models go on with questions of their own once they have answered."""
_BUSY_SECONDS = 5
_DOWN_SECONDS = 10


class GatewayUnavailable(Exception):
    """The gateway, or the model behind it, does not answer; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelGateway:
    """A connection pool to the gateway. `last_chat` is when (monotonic seconds) the chat model last answered."""

    def __init__(self, gateway: Gateway, models: Models, answer_seconds: float) -> None:
        self._models = models
        self._url = gateway.base_url
        self.last_chat: float | None = None
        self._client = AsyncOpenAI(
            base_url=gateway.base_url,
            api_key=gateway_key(gateway),
            max_retries=1,
            timeout=httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS),
        )

    async def embed(self, text: str) -> list[float]:
        """The vector of `text` (shape: the embedding model's dimension); text beyond the model's context is cut off.

        Raises:
            GatewayUnavailable: no answer, or a vector of another length than the settings say.
        """
        model = self._models.embedding
        async with self._errors(model.name):
            answer = await self._client.embeddings.create(
                model=model.name,
                # Two tokens are the model's own, at the beginning and at the end.
                input=cut_to_tokens(text, model.context_tokens - 2),
                encoding_format="float",
                timeout=httpx.Timeout(EMBED_SECONDS, connect=CONNECT_SECONDS),
            )
        vector = answer.data[0].embedding if answer.data else []
        if len(vector) != model.dimension:
            raise GatewayUnavailable(
                f"{model.name!r} at {self._url} made a vector of {len(vector)} numbers instead of {model.dimension}",
                _DOWN_SECONDS,
            )
        return vector

    async def stream_chat(
        self, messages: Iterable[ChatCompletionMessageParam], answer_tokens: int
    ) -> AsyncGenerator[str]:
        """The chat model's answer, piece by piece; closing the iterator ends the call at the model too.

        Raises:
            GatewayUnavailable: no answer, or the stream broke off.
        """
        model = self._models.chat
        async with self._errors(model.name):
            stream = await self._client.chat.completions.create(
                model=model.name,
                messages=messages,
                max_tokens=answer_tokens,
                temperature=0,
                stop=STOP,
                stream=True,
            )
            async with stream:
                async for piece in stream:
                    self.last_chat = time.monotonic()
                    if piece.choices and (text := piece.choices[0].delta.content):
                        yield text

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    @asynccontextmanager
    async def _errors(self, model: str) -> AsyncGenerator[None]:
        # Bodies of refusals are not passed on: a gateway quotes the key that it refused.
        where = f"model {model!r} at {self._url}"
        try:
            yield
        except APITimeoutError as error:
            raise GatewayUnavailable(f"{where} did not answer in time", _BUSY_SECONDS) from error
        except APIConnectionError as error:
            raise GatewayUnavailable(f"{where} cannot be reached", _DOWN_SECONDS) from error
        except APIStatusError as error:
            raise GatewayUnavailable(f"{where} refused with status {error.status_code}", _retry_after(error)) from error
        except (APIError, httpx.HTTPError) as error:
            raise GatewayUnavailable(f"{where} broke off its answer ({type(error).__name__})", _BUSY_SECONDS) from error


def _retry_after(error: APIStatusError) -> int:
    given = error.response.headers.get("retry-after", "")
    return int(given) if given.isdecimal() else _DOWN_SECONDS
