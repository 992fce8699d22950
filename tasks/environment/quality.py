"""What an environment demands of its answers: the labelled questions and the evaluation's thresholds."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from tasks.environment.schedule import Schedule
from tasks.environment.section import Section, Text

Share = Annotated[float, Field(ge=0, le=1)]
JudgedMetric = Literal[
    "faithfulness",
    "answer_relevancy",
    "judged_context_precision",
    "judged_context_recall",
    "answer_correctness",
]
Metric = Literal[
    "recall_at_5",
    "mrr",
    "abstention_accuracy",
    "context_precision",
    "context_recall",
    "answer_similarity",
    "rouge_l",
    "groundedness",
    "faithfulness",
    "answer_relevancy",
    "judged_context_precision",
    "judged_context_recall",
    "answer_correctness",
]
TraceMetric = Literal["groundedness", "faithfulness", "answer_relevancy"]
JUDGED: tuple[JudgedMetric, ...] = get_args(JudgedMetric)
"""The metrics that a judge model scores."""
TRACE_METRICS: tuple[TraceMetric, ...] = get_args(TraceMetric)
"""The metrics that need no reference, so that answers to anybody's questions can be measured."""


class SampledTraces(Section):
    """How many answers to people's questions a run takes out of their traces, and the least that metrics must reach.

    Taken are those since the last run, none older than `most_days`.
    """

    sample: Annotated[int, Field(ge=1, le=1000)]
    most_days: Annotated[int, Field(ge=1)] = 7
    schedule: Schedule | None = None
    thresholds: dict[TraceMetric, Share] = Field(default={})


class Evaluation(Section):
    """The labelled questions, what is measured on them, and the least that each metric must reach (0..1).

    `answers_in_lifecycle` is the number of questions that `lifecycle` answers in full; the flow
    `evaluation` itself answers all of them. `most_worse` is by how much a metric may be below that of the last report
    that passed; one without a threshold also has to lie below it with its 95 % interval.

    `judge_failures` is the share of a metric's scores, and of the full answers, that may be missing. Of the judged
    metrics: `judge_tokens` is what the judge may use in a run, and `judge_kappa` the agreement with people's verdicts
    below which its scores demand nothing.
    """

    dataset: Text
    schedule: Schedule | None = None
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]
    thresholds: dict[Metric, Share]
    answers_in_lifecycle: Annotated[int, Field(ge=0)]
    most_worse: Share | None = None
    judge_tokens: Annotated[int, Field(ge=1)] = 1000000
    judge_failures: Share = 0.1
    judge_kappa: Annotated[float, Field(ge=-1, le=1)] = 0.6
    traces: SampledTraces | None = None

    @property
    def judged_metrics(self) -> tuple[JudgedMetric, ...]:
        """Those of `metrics` that a judge scores, in its order."""
        return tuple(metric for metric in JUDGED if metric in self.metrics)

    def of_traces(self, traces: SampledTraces) -> "Evaluation":
        """The same demands of what is measured on traces: fewer metrics, and thresholds of their own."""
        metrics = tuple(metric for metric in self.metrics if metric in TRACE_METRICS)
        return self.model_copy(update={"metrics": metrics, "thresholds": traces.thresholds})

    @model_validator(mode="after")
    def _thresholds_are_measured(self) -> Self:
        for metric in self.thresholds:
            if metric not in self.metrics:
                raise ValueError(f"thresholds.{metric} is never measured; add {metric!r} to metrics or remove it")
        for metric in self.traces.thresholds if self.traces else ():
            if metric not in self.metrics:
                raise ValueError(
                    f"traces.thresholds.{metric} is never measured; add {metric!r} to metrics or remove it"
                )
        if self.traces and not set(self.metrics) & set(TRACE_METRICS):
            raise ValueError(f"traces needs one of {', '.join(TRACE_METRICS)} in metrics")
        if len(set(self.metrics)) != len(self.metrics):
            raise ValueError(f"metrics has one more than once: {', '.join(self.metrics)}")
        return self
