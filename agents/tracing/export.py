"""Spans on their way to Langfuse: masked and sent by a thread of their own, and lost rather than waited for."""

import asyncio
import base64
import threading
from collections.abc import Mapping, Sequence

from langfuse import LangfuseOtelSpanAttributes as Langfuse
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.semconv._incubating.attributes.deployment_attributes import DEPLOYMENT_ENVIRONMENT_NAME
from opentelemetry.semconv.attributes.service_attributes import SERVICE_NAME, SERVICE_VERSION
from opentelemetry.trace import Status, Tracer
from opentelemetry.util.types import AttributeValue

from agents.metrics import Metrics
from agents.settings import Langfuse as Settings
from agents.tracing.ids import RequestIds
from agents.tracing.masking import mask, mask_json
from agents.tracing.shared import shared_attributes

SERVICE = "agentic-eks-agents"
TRACES_PATH = "/api/public/otel/v1/traces"
QUEUED_SPANS = 4096
"""About 200 questions; when the receiver is away longer than that, the oldest spans are dropped."""
BATCHED_SPANS = 256
FLUSH_SECONDS = 1.0
EXPORT_SECONDS = 5.0
"""For so long one batch is tried, retries included; then it is lost."""
CLOSE_SECONDS = 3.0
"""For so long the service waits for the last spans to leave when it stops."""
LONGEST_ATTRIBUTE = 65_536
"""Characters. Limits of questions, prompts and answers lie below; this one only bounds what nobody thought of."""


class SpanExport:
    """The way of one service's spans to Langfuse at `host`. `environment` and `release` are on every span."""

    def __init__(
        self, langfuse: Settings, secret: str, environment: str, release: str | None, metrics: Metrics
    ) -> None:
        self.host = langfuse.host
        said = base64.b64encode(f"{langfuse.public_key}:{secret}".encode()).decode()
        self._exporter = OTLPSpanExporter(
            endpoint=langfuse.host.rstrip("/") + TRACES_PATH,
            # With the version Langfuse shows spans at once instead of after its own batches.
            headers={"Authorization": f"Basic {said}", "x-langfuse-ingestion-version": "4"},
            timeout=EXPORT_SECONDS,
        )
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource(_described(environment, release)),
            shutdown_on_exit=False,
            id_generator=RequestIds(),
            span_limits=SpanLimits(max_attribute_length=LONGEST_ATTRIBUTE),
        )
        self._masked = _Masked(self._exporter, metrics)
        self._provider.add_span_processor(_Finishing(environment, release, metrics))
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._masked,
                max_queue_size=QUEUED_SPANS,
                schedule_delay_millis=1000 * FLUSH_SECONDS,
                max_export_batch_size=BATCHED_SPANS,
            )
        )

    @property
    def failing(self) -> bool:
        """Whether Langfuse did not take the last spans that it was sent."""
        return self._masked.failing

    @property
    def tracer(self) -> Tracer:
        """What makes the spans."""
        return self._provider.get_tracer("agents")

    async def close(self) -> None:
        """Send what is left, for `CLOSE_SECONDS` at most: the SDK alone would wait for half a minute."""
        closing = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, CLOSE_SECONDS)
        if closing.is_alive():
            # Its thread is a daemon, and no batch after the present one is tried any more.
            self._exporter.shutdown()


class _Finishing(SpanProcessor):
    """Puts what belongs to the whole trace on each of its spans, where Langfuse filters by it, and counts spans."""

    def __init__(self, environment: str, release: str | None, metrics: Metrics) -> None:
        self._everywhere: dict[str, AttributeValue] = {Langfuse.ENVIRONMENT: environment}
        if release is not None:
            self._everywhere[Langfuse.RELEASE] = release
        self._metrics = metrics

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        span.set_attributes({**self._everywhere, **shared_attributes(parent_context)})

    def on_end(self, span: ReadableSpan) -> None:
        self._metrics.spans.labels("ended").inc()


class _Masked(SpanExporter):
    """Masks in the exporting thread, so that no request pays for it and nothing that a span carries is forgotten."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics) -> None:
        self._exporter = exporter
        self._metrics = metrics
        self.failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export([_masked(span) for span in spans])
        self.failing = result is not SpanExportResult.SUCCESS
        outcome = "failed" if self.failing else "exported"
        self._metrics.spans.labels(outcome).inc(len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _masked(span: ReadableSpan) -> ReadableSpan:
    status = span.status
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_masked_values(span.attributes),
        events=[Event(event.name, _masked_values(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(status.status_code, mask(status.description)) if status.description else status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _masked_values(attributes: Mapping[str, AttributeValue] | None) -> dict[str, AttributeValue]:
    return {key: mask_json(value) if isinstance(value, str) else value for key, value in (attributes or {}).items()}


def _described(environment: str, release: str | None) -> dict[str, AttributeValue]:
    described: dict[str, AttributeValue] = {SERVICE_NAME: SERVICE, DEPLOYMENT_ENVIRONMENT_NAME: environment}
    return described if release is None else {**described, SERVICE_VERSION: release}
