"""A judge model behind an OpenAI-compatible gateway, in the form that RAGAS asks, with an end to what it may use.

RAGAS's own factory is passed by: it notes a usage event and writes an identity into the home directory, and nothing in
it counts tokens. Importing this module imports RAGAS, which takes seconds.
"""

from typing import TYPE_CHECKING, TypeVar

import openai
import stamina
from pydantic import BaseModel
from ragas.llms.base import InstructorBaseRagasLLM

from agents.token_estimate import estimate_tokens

if TYPE_CHECKING:
    from openai.types.shared_params.response_format_json_schema import JSONSchema

ANSWER_TOKENS = 2000
SECONDS = 120.0
ATTEMPTS = 3
MOST_WAIT_SECONDS = 60.0
"""That a gateway with too much to do may ask for between two attempts."""

Shape = TypeVar("Shape", bound=BaseModel)


class JudgeSpent(Exception):
    """The judge has used what it may use in a run; it was not asked."""


class JudgeModel(InstructorBaseRagasLLM):
    """The model `name` through `client`; `tokens` counts what its calls took, of `most_tokens` at the most.

    The `client` must not try again by itself: what a failed attempt took would be counted once for all of them.
    """

    def __init__(self, client: openai.AsyncOpenAI, name: str, most_tokens: int) -> None:
        self._client = client
        self._name = name
        self._most_tokens = most_tokens
        self.tokens = 0

    def generate(self, prompt: str, response_model: type[Shape]) -> Shape:
        """Not offered: the metrics ask without waiting for one another."""
        raise NotImplementedError("the judge is asked by agenerate")

    async def agenerate(self, prompt: str, response_model: type[Shape]) -> Shape:
        """What the judge says to `prompt`, as `response_model`; it is asked again where another attempt may succeed.

        Raises:
            JudgeSpent: an answer could take more tokens than are left.
            OpenAIError: the gateway refuses or does not answer.
            ValidationError: the answer has another shape.
        """
        again = stamina.AsyncRetryingCaller(attempts=ATTEMPTS, timeout=None, wait_max=MOST_WAIT_SECONDS)
        return await again.on(_wait)(self._ask, prompt, response_model)

    async def _ask(self, prompt: str, response_model: type[Shape]) -> Shape:
        reserved = estimate_tokens(prompt) + ANSWER_TOKENS
        if self.tokens + reserved > self._most_tokens:
            raise JudgeSpent(f"the judge has used {self.tokens} of {self._most_tokens} tokens")
        # Taken before the call, so that calls under way at the same time cannot pass the end together.
        self.tokens += reserved
        schema: JSONSchema = {"name": response_model.__name__, "schema": response_model.model_json_schema()}
        used = reserved
        try:
            answer = await self._client.chat.completions.create(
                model=self._name,
                messages=[{"role": "user", "content": prompt}],
                max_tokens=ANSWER_TOKENS,
                temperature=0,
                response_format={"type": "json_schema", "json_schema": schema},
                timeout=SECONDS,
            )
            if answer.usage is not None:
                used = answer.usage.total_tokens
        except openai.RateLimitError:
            # Turned away before the model was asked.
            used = 0
            raise
        finally:
            self.tokens += used - reserved
        return response_model.model_validate_json((answer.choices[0].message.content if answer.choices else "") or "")


def _wait(error: Exception) -> bool | float:
    """Whether to try again after a failure, or after how many seconds, where the gateway says it."""
    if not isinstance(error, openai.APIConnectionError | openai.RateLimitError | openai.InternalServerError):
        return False
    said = error.response.headers.get("retry-after") if isinstance(error, openai.APIStatusError) else None
    try:
        seconds = None if said is None else float(said)
    except ValueError:
        # A date, which gateways of models do not send.
        seconds = None
    if seconds is None:
        return True
    return seconds if 0 <= seconds <= MOST_WAIT_SECONDS else False
