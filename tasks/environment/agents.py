"""How the agent service of an environment answers: its thresholds and limits."""

from typing import Annotated

from pydantic import Field

from tasks.environment.section import Section

Share = Annotated[float, Field(ge=0, le=1)]


class Agents(Section):
    """Thresholds (0..1) and limits of the agent service."""

    relevancy_threshold: Share
    groundedness_threshold: Share
    passages: Annotated[int, Field(ge=1, le=50)]
    answer_tokens: Annotated[int, Field(ge=16)]
    answer_seconds: Annotated[float, Field(gt=0)]
    question_bytes: Annotated[int, Field(ge=256)]
