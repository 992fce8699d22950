"""POST /v1/feedback: what people think of an answer; it becomes a score of the answer's trace, and a metric."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from agents.assistant import CurrentAssistant
from agents.tracing.scores import Score

router = APIRouter()

LONGEST_COMMENT = 2000
"""Characters."""


class Feedback(BaseModel):
    """A rating of the answer whose `trace_id` is given, and in words why."""

    model_config = ConfigDict(extra="forbid")

    trace_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    rating: Literal["up", "down"]
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] | None = None


@router.post("/v1/feedback", status_code=204)
async def feedback(body: Feedback, assistant: CurrentAssistant) -> None:
    """Rate an answer of the last day; a later rating of the same answer replaces the former."""
    if body.trace_id not in assistant.recent:
        raise HTTPException(404, f"no answer with the trace id {body.trace_id!r} was given here lately")
    assistant.metrics.feedback.labels(body.rating).inc()
    assistant.tracing.score(Score(body.trace_id, "feedback", float(body.rating == "up"), body.comment))
