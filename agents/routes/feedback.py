"""POST /v1/feedback: what people think of an answer; it becomes a score of the answer's trace, and a metric."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from agents.assistant import Assistant, CurrentAssistant, CurrentCaller
from agents.caller import Caller
from agents.recent_traces import Rating
from agents.tracing.scores import Score

router = APIRouter()

LONGEST_COMMENT = 2000
"""Characters."""


class Feedback(BaseModel):
    """A rating of the answer whose `trace_id` is given, and in words why."""

    model_config = ConfigDict(extra="forbid")

    trace_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    rating: Rating
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] | None = None


@router.post("/v1/feedback", status_code=204)
async def feedback(body: Feedback, assistant: CurrentAssistant, caller: CurrentCaller) -> None:
    """Rate an answer of the last day, or one in the caller's conversations; a later rating replaces the former."""
    if body.trace_id not in assistant.recent and not await _is_kept(assistant, caller, body.trace_id):
        raise HTTPException(
            404, f"no answer with the trace id {body.trace_id!r} was given here lately, or is in your conversations"
        )
    # A comment comes after its rating, with the rating once more.
    if assistant.recent.rate(body.trace_id, body.rating):
        assistant.metrics.feedback.labels(body.rating).inc()
    assistant.tracing.score(Score(body.trace_id, "feedback", float(body.rating == "up"), body.comment))


async def _is_kept(assistant: Assistant, caller: Caller, trace_id: str) -> bool:
    """Whether it is of an answer in the caller's conversations, whichever replica gave it."""
    conversations = assistant.access.conversations
    return conversations is not None and await conversations.has_trace(caller.id, trace_id)
