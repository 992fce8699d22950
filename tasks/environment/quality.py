"""What an environment demands of its answers: the labelled questions and the evaluation's thresholds."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.environment.schedule import Schedule
from tasks.environment.section import Section, Text

Share = Annotated[float, Field(ge=0, le=1)]
Metric = Literal[
    "recall_at_5",
    "mrr",
    "abstention_accuracy",
    "context_precision",
    "context_recall",
    "answer_similarity",
    "rouge_l",
    "groundedness",
]


class Evaluation(Section):
    """The labelled questions, what is measured on them, and the least that each metric must reach (0..1).

    `answers_in_lifecycle` is the number of questions that `lifecycle` answers in full; the flow
    `evaluation` itself answers all of them.
    """

    dataset: Text
    schedule: Schedule | None = None
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]
    thresholds: dict[Metric, Share]
    answers_in_lifecycle: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _thresholds_are_measured(self) -> Self:
        for metric in self.thresholds:
            if metric not in self.metrics:
                raise ValueError(f"thresholds.{metric} is never measured; add {metric!r} to metrics or remove it")
        if len(set(self.metrics)) != len(self.metrics):
            raise ValueError(f"metrics has one more than once: {', '.join(self.metrics)}")
        return self
