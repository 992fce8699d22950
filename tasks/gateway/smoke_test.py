"""The proof that models answer through the gateway: a real completion and a real embedding, by OpenAI's client."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tasks.environment.models import Models

if TYPE_CHECKING:
    from openai import OpenAI

RETRIES = 2
# The model itself is to answer: neither another one in its place, nor the gateway from its memory.
ITSELF = {"disable_fallbacks": True, "cache": {"no-cache": True}}


class GatewayRefused(Exception):
    """A model did not answer through the gateway as the environment file promises."""


@dataclass(frozen=True)
class SmokeResult:
    """One model's answer through the gateway.

    `size` is the length of the vector for an embedding model, and the number of tokens answered for a chat model.
    """

    model: str
    kind: Literal["chat", "embedding"]
    latency_ms: float
    size: int


def roles_of(models: Models) -> list[str]:
    """The models that answer questions, each once; the judge is asked by evaluations only."""
    return list(dict.fromkeys((*models.embeddings, models.chat, models.reasoning)))


def smoke_test(gateway_url: str, key: str, models: Models, asked: Sequence[str] | None = None) -> list[SmokeResult]:
    """Ask the models `asked` (default: every one that plays a role) for a real answer, by OpenAI's own client.

    Raises:
        GatewayRefused: a model does not answer, or its vectors have another length than the environment file says.
    """
    # It takes 0.6 s to import, which every start of a flow would pay.
    import openai

    with openai.OpenAI(base_url=f"{gateway_url}/v1", api_key=key, max_retries=RETRIES) as client:
        return list(_ask_each(client, models, roles_of(models) if asked is None else asked))


def _ask_each(client: "OpenAI", models: Models, asked: Sequence[str]) -> Iterator[SmokeResult]:
    from openai import OpenAIError

    for name in asked:
        dimension = models.catalogue[name].dimension
        started = time.perf_counter()
        try:
            size = _answer_length(client, name) if dimension is None else _vector_length(client, name)
        except OpenAIError as error:
            raise GatewayRefused(f"model {name!r} does not answer at {client.base_url}: {error}") from error
        if dimension is not None and size != dimension:
            raise GatewayRefused(
                f"model {name!r} answers with vectors of length {size}, but models.catalogue.{name}.dimension = "
                f"{dimension}; correct the variable file, or serve the model that it means"
            )
        milliseconds = (time.perf_counter() - started) * 1000
        yield SmokeResult(name, "chat" if dimension is None else "embedding", milliseconds, size)


def _answer_length(client: "OpenAI", name: str) -> int:
    answer = client.chat.completions.create(
        model=name,
        messages=[{"role": "user", "content": "Say hello."}],
        max_tokens=8,
        temperature=0,
        extra_body=ITSELF,
    )
    if not answer.choices or not answer.choices[0].message.content:
        raise GatewayRefused(f"model {name!r} answers nothing at {client.base_url}")
    return answer.usage.completion_tokens if answer.usage else 0


def _vector_length(client: "OpenAI", name: str) -> int:
    return len(
        client.embeddings.create(model=name, input="hello", encoding_format="float", extra_body=ITSELF)
        .data[0]
        .embedding
    )
