"""Trace ids are those that the requests have already: the page, the answer and Langfuse speak of the same one."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

_GIVEN: ContextVar[int | None] = ContextVar("given_trace_id", default=None)


class RequestIds(RandomIdGenerator):
    """Gives a new trace the id that `use_trace_id` names; span ids are random."""

    def generate_trace_id(self) -> int:
        """The trace id (128 bits)."""
        given = _GIVEN.get()
        return super().generate_trace_id() if given is None else given


@contextmanager
def use_trace_id(trace_id: str) -> Generator[None]:
    """Within, a trace that begins has the id `trace_id` (32 hexadecimal digits).

    The OpenTelemetry SDK offers no other way: a made-up remote parent would leave every trace without a root.
    """
    token = _GIVEN.set(int(trace_id, 16))
    try:
        yield
    finally:
        _GIVEN.reset(token)
