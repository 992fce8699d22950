"""Vectors of texts by one of the environment's embedding models, through the gateway."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from agents.token_estimate import cut_to_tokens
from tasks.environment.models import Models

SECONDS = 30.0
"""That a vector may take; the client waits 10 minutes by itself, for each of an evaluation's answers."""


@contextmanager
def gateway_embedding(
    gateway_url: str, key: str, models: Models, model: str
) -> Generator[Callable[[str], list[float]]]:
    """A function from a text to its vector by `model`; text beyond the model's context is cut off.

    The function raises openai.OpenAIError when the gateway at `gateway_url` does not answer.
    """
    # Two tokens are the model's own, at the beginning and at the end.
    most_tokens = models.catalogue[model].context_tokens - 2
    # It takes 0.7 s to import, which every start of a flow would pay.
    import openai

    with openai.OpenAI(base_url=f"{gateway_url}/v1", api_key=key, timeout=SECONDS) as client:

        def embed(text: str) -> list[float]:
            wanted = cut_to_tokens(text, most_tokens)
            answer = client.embeddings.create(model=model, input=wanted, encoding_format="float")
            return answer.data[0].embedding

        yield embed
