"""Sampled answers scored: by the judge where there is one, and by what the service found out itself."""

from collections.abc import Callable, Iterable, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.environment.quality import JudgedMetric, Metric
from tasks.evaluation.defined_metrics import defined_intervals, defined_values, finite, mean_of_defined
from tasks.evaluation.judging import ask_judge
from tasks.evaluation.report import NO_NUMBER, Judging
from tasks.evaluation.trace_report import TraceRow
from tasks.gateway import Gateway
from tasks.gateway.embedding import gateway_embedding
from tasks.langfuse.traces import TracedAnswer

NO_PROMPT = "the trace holds no prompt that can be read"


@task(task_run_name="score-traces", cache_policy=NO_CACHE, persist_result=False)
def trace_rows(
    settings: Environment,
    metrics: Sequence[JudgedMetric],
    answers: Sequence[TracedAnswer],
    gateway: Callable[[], Gateway],
) -> tuple[tuple[TraceRow, ...], Judging | None]:
    """A row for each of `answers`, in order, and what became of the judge; None where none was asked.

    A quotation is verbatim, so only its relevancy is judged. An abstention is not judged: nobody knows whether there
    was something to say.

    Raises:
        InvalidVerdicts: the statements that people judged cannot be read.
    """
    rows = [_row(each) for each in answers]
    model = settings.models.judge
    if not metrics or model is None:
        return tuple(rows), None
    # Importing RAGAS takes seconds, which whoever only names this module should not wait for.
    from tasks.evaluation.ragas_judged import JudgedAnswer

    asked = {
        place: JudgedAnswer(
            question=each.question,
            answer=each.answer,
            reference="",
            passages=() if each.documents is None else (each.documents,),
            claims=each.kind == "answered" and each.documents is not None,
        )
        for place, each in enumerate(answers)
        if each.kind != "abstained"
    }
    reached = gateway()
    with gateway_embedding(
        reached.url, reached.key.get_secret_value(), settings.models, settings.models.embedding
    ) as embed:
        scores, judging = ask_judge(settings, model, reached, list(asked.values()), metrics, embed)
    for place, scored in zip(asked, scores, strict=True):
        failures = {**rows[place].unjudged, **scored.failures}
        if "faithfulness" in metrics and answers[place].kind == "answered" and answers[place].documents is None:
            failures["faithfulness"] = NO_PROMPT
        rows[place] = rows[place].model_copy(update={"judged": scored.scores, "unjudged": failures})
    return tuple(rows), judging


def _row(answer: TracedAnswer) -> TraceRow:
    groundedness = None if answer.groundedness is None else finite(answer.groundedness)
    return TraceRow(
        trace_id=answer.trace_id,
        kind=answer.kind,
        question=answer.question,
        groundedness=groundedness,
        unjudged={} if groundedness == answer.groundedness else {"groundedness": NO_NUMBER},
    )


def trace_values(rows: Sequence[TraceRow], metrics: Iterable[Metric]) -> dict[Metric, float]:
    """The mean (0..1) of every metric that is defined for these rows."""
    return defined_values(rows, metrics, _measure)


def trace_intervals(rows: Sequence[TraceRow], metrics: Iterable[Metric]) -> dict[Metric, tuple[float, float]]:
    """The 95 % bootstrap interval over the answers of every metric that is defined."""
    return defined_intervals(rows, metrics, _measure)


def _measure(metric: Metric, rows: Sequence[TraceRow]) -> float | None:
    return mean_of_defined(row.scores.get(metric) for row in rows)
