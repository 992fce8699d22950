"""Who asked, and in which conversation, as a trace says it."""

import hmac

from langfuse import LangfuseOtelSpanAttributes as Langfuse

from agents.caller import Caller
from agents.tracing.shared import Attributes


def asker(caller: Caller, conversation: str | None, secret: str) -> Attributes:
    """`user.id` and `session.id`, by which Langfuse groups traces: https://langfuse.com/docs/observability/features/users.

    A caller's id may be a name or an e-mail address. It leaves as an HMAC under `secret`: the same for the same caller,
    and nobody who reads traces finds out whose by trying names. Where nobody signs in, there is nobody to tell apart.

    Callers make up the ids of their conversations, and two may make up the same: a session is of one caller.
    """
    if caller.kind == "local":
        return {} if conversation is None else {Langfuse.TRACE_SESSION_ID: conversation}
    pseudonym = hmac.digest(secret.encode(), caller.id.encode(), "sha256").hex()[:32]
    said: Attributes = {Langfuse.TRACE_USER_ID: pseudonym}
    if conversation is not None:
        said[Langfuse.TRACE_SESSION_ID] = f"{conversation}.{pseudonym}"
    return said
