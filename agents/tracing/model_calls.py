"""Calls of models: a span within a question's trace, and the metrics of every call."""

import asyncio
import json
import re
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from langfuse import LangfuseOtelSpanAttributes as Langfuse
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionMessageParam
from openai.types.create_embedding_response import Usage
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer

from agents.metrics import Metrics
from agents.token_estimate import estimate_tokens
from agents.tracing.shared import Attributes, shared_attributes

PROVIDER = "litellm"
"""The conventions ask for the provider that the client sees, whatever is behind it."""
COST_HEADER = "x-litellm-response-cost"
CACHE_HEADER = "x-litellm-cache-key"
"""Only answers out of the gateway's cache have it."""


_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?", re.IGNORECASE)


class ModelCall:
    """One call. Tokens that the gateway does not report, as when a stream is cut short, are estimated."""

    def __init__(self, model: str, prompt: str, streaming: bool, span: Span, metrics: Metrics) -> None:
        self._model = model
        self._streaming = streaming
        self._prompt = prompt
        self._span = span
        self._metrics = metrics
        self._began = time.perf_counter()
        self._heard: list[str] = []
        self._usage: CompletionUsage | Usage | None = None

    def answered(self, headers: Mapping[str, str]) -> None:
        """The gateway's answer begins; its headers may name the cost, and whether it comes out of the cache."""
        cached = CACHE_HEADER in headers
        self._span.set_attribute(f"{Langfuse.OBSERVATION_METADATA}.cache_hit", cached)
        if cached:
            self._metrics.cached_calls.labels(self._model).inc()
        else:
            self._cost(headers.get(COST_HEADER))

    def heard(self, text: str, model: str) -> None:
        """The next piece was written, by `model`, which is another one when the gateway turned to it."""
        if not self._heard:
            self._span.set_attribute(gen_ai.GEN_AI_RESPONSE_MODEL, model)
            if self._streaming:
                self._begins()
        self._heard.append(text)

    def reported(self, usage: CompletionUsage | Usage | None) -> None:
        """The gateway says how many tokens went in and out, and perhaps what they cost."""
        # Of what a server does not count, LiteLLM says null or leaves it out, whatever the type says.
        if usage is None or None in (getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", 0)):
            return
        self._usage = usage
        cost = (usage.model_extra or {}).get("cost")
        self._cost(None if cost is None else str(cost))

    def end(self) -> None:
        """Write down the tokens and the text, and end the span."""
        text = "".join(self._heard)
        written, read = estimate_tokens(text) if text else 0, estimate_tokens(self._prompt)
        if self._usage is not None:
            read = self._usage.prompt_tokens
            written = self._usage.completion_tokens if isinstance(self._usage, CompletionUsage) else 0
        self._metrics.tokens.labels(self._model, "input").inc(read)
        self._metrics.tokens.labels(self._model, "output").inc(written)
        self._span.set_attributes(
            {
                gen_ai.GEN_AI_USAGE_INPUT_TOKENS: read,
                gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS: written,
                f"{Langfuse.OBSERVATION_METADATA}.tokens_estimated": self._usage is None,
            }
        )
        if text:
            self._span.set_attribute(Langfuse.OBSERVATION_OUTPUT, text)
        self._span.end()

    def _begins(self) -> None:
        seconds = time.perf_counter() - self._began
        self._metrics.first_token_seconds.labels(self._model).observe(seconds)
        self._span.set_attribute(gen_ai.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, seconds)
        # Langfuse's own SDK sends it as JSON.
        self._span.set_attribute(Langfuse.OBSERVATION_COMPLETION_START_TIME, json.dumps(datetime.now(UTC).isoformat()))

    def _cost(self, dollars: str | None) -> None:
        # LiteLLM writes "None" for what has no price.
        if not dollars or not _NUMBER.fullmatch(dollars):
            return
        amount = float(dollars)
        self._metrics.cost.labels(self._model).inc(amount)
        self._span.set_attribute(Langfuse.OBSERVATION_COST_DETAILS, json.dumps({"total": amount}))


class ModelCalls:
    """Begins calls. One outside a question, such as a probe, is counted but makes no trace."""

    def __init__(self, tracer: Tracer, metrics: Metrics) -> None:
        self._tracer = tracer
        self._metrics = metrics

    @contextmanager
    def embedding(self, model: str, text: str, dimension: int) -> Generator[ModelCall]:
        """A call of an embedding model, as long as the block lasts."""
        attributes: Attributes = {
            gen_ai.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: dimension,
            Langfuse.OBSERVATION_TYPE: "embedding",
            Langfuse.OBSERVATION_INPUT: text,
        }
        with self._call("embeddings", model, text, False, attributes) as call:
            yield call

    @contextmanager
    def chat(
        self,
        model: str,
        messages: Iterable[ChatCompletionMessageParam],
        most_tokens: int,
        *,
        streaming: bool = True,
    ) -> Generator[ModelCall]:
        """A call of a chat model, as long as the block lasts."""
        prompt = json.dumps(list(messages), ensure_ascii=False)
        attributes: Attributes = {
            gen_ai.GEN_AI_REQUEST_MAX_TOKENS: most_tokens,
            gen_ai.GEN_AI_REQUEST_TEMPERATURE: 0.0,
            gen_ai.GEN_AI_REQUEST_STREAM: streaming,
            Langfuse.OBSERVATION_TYPE: "generation",
            Langfuse.OBSERVATION_INPUT: prompt,
        }
        with self._call("chat", model, prompt, streaming, attributes) as call:
            yield call

    @contextmanager
    def _call(
        self, operation: Literal["chat", "embeddings"], model: str, prompt: str, streaming: bool, attributes: Attributes
    ) -> Generator[ModelCall]:
        general: Attributes = {
            gen_ai.GEN_AI_OPERATION_NAME: operation,
            gen_ai.GEN_AI_PROVIDER_NAME: PROVIDER,
            gen_ai.GEN_AI_REQUEST_MODEL: model,
        }
        span = INVALID_SPAN
        # Not whether the present span still records: a call that a state begins may start after the state has ended.
        if shared_attributes():
            span = self._tracer.start_span(
                f"{operation} {model}", kind=SpanKind.CLIENT, attributes={**general, **attributes}
            )
        call = ModelCall(model, prompt, streaming, span, self._metrics)
        try:
            yield call
        except (asyncio.CancelledError, GeneratorExit):
            span.set_attribute(Langfuse.OBSERVATION_STATUS_MESSAGE, "stopped by the service")
            raise
        except BaseException as error:
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
            raise
        finally:
            call.end()
