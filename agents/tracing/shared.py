"""What belongs to the whole trace travels in OpenTelemetry's context, to every span that begins below."""

from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.util.types import AttributeValue

Attributes = dict[str, AttributeValue]

_KEY = create_key("attributes-of-the-trace")


def with_shared_attributes(attributes: Attributes, context: Context) -> Context:
    """`context` for a trace; what is added to `attributes` later is on all spans that begin later."""
    return set_value(_KEY, attributes, context)


def shared_attributes(context: Context | None = None) -> Attributes:
    """The attributes of the trace that `context` (without one: the present) belongs to; may be added to."""
    found = get_value(_KEY, context)
    return found if isinstance(found, dict) else {}
