"""A judge model behind an OpenAI-compatible gateway, in the form that RAGAS asks, with an end to what it may use.

RAGAS's own factory is passed by: it notes a usage event and writes an identity into the home directory, and nothing in
it counts tokens. Importing this module imports RAGAS, which takes seconds.
"""

from typing import TYPE_CHECKING, TypeVar

import openai
from pydantic import BaseModel
from ragas.llms.base import InstructorBaseRagasLLM

from agents.token_estimate import estimate_tokens

if TYPE_CHECKING:
    from openai.types.shared_params.response_format_json_schema import JSONSchema

ANSWER_TOKENS = 2000
SECONDS = 120.0

Shape = TypeVar("Shape", bound=BaseModel)


class JudgeSpent(Exception):
    """The judge has used what it may use in a run; it was not asked."""


class JudgeModel(InstructorBaseRagasLLM):
    """The model `name` through `client`; `tokens` counts what its calls took, of `most_tokens` at the most."""

    def __init__(self, client: openai.AsyncOpenAI, name: str, most_tokens: int) -> None:
        self._client = client
        self._name = name
        self._most_tokens = most_tokens
        self.tokens = 0

    def generate(self, prompt: str, response_model: type[Shape]) -> Shape:
        """Not offered: the metrics ask without waiting for one another."""
        raise NotImplementedError("the judge is asked by agenerate")

    async def agenerate(self, prompt: str, response_model: type[Shape]) -> Shape:
        """What the judge says to `prompt`, as `response_model`.

        Raises:
            JudgeSpent: an answer could take more tokens than are left.
            OpenAIError: the gateway refuses or does not answer.
            ValidationError: the answer has another shape.
        """
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
        finally:
            self.tokens += used - reserved
        return response_model.model_validate_json((answer.choices[0].message.content if answer.choices else "") or "")
