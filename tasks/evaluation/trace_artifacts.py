"""What a run over people's questions shows in the Prefect UI, and how it fails."""

from collections import Counter
from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import publish_table
from tasks.environment import EnvironmentName
from tasks.environment.quality import Evaluation
from tasks.evaluation.artifacts import in_doubt, in_words, judge_table, score_table
from tasks.evaluation.gate import LOW, WORST_ROWS, DemandsMissed
from tasks.evaluation.trace_report import TraceReport, TraceRow

STAGE = "traces"


@task(task_run_name="publish-traces", cache_policy=NO_CACHE)
def publish_traces(
    environment: EnvironmentName, report: TraceReport, earlier: Sequence[TraceReport], demands: Evaluation
) -> None:
    """Publish the table of scores, the worst answers, and what became of the judge where there was one.

    The first of `earlier` (newest first) is compared with.
    """
    before = earlier[0].scores if earlier else {}
    publish_table(
        environment, STAGE, "scores", score_table(report, before, demands), in_doubt(report, demands) + about(report)
    )
    nothing = [{"question": f"none: no score is below {LOW:g}"}]
    worst = [_described(row) for row in worst_answers(report.rows)]
    publish_table(environment, STAGE, "worst-answers", worst or nothing, "Lowest scores first; traces are in Langfuse")
    if report.judging is not None:
        rows = judge_table(report, report.judging, demands)
        publish_table(environment, STAGE, "judge", rows, in_words(report.judging, demands))


def about(report: TraceReport) -> str:
    """What was measured, in a line."""
    kinds = Counter(row.kind for row in report.rows)
    shares = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return (
        f"{len(report.rows)} of {report.found} traces of {report.since:%Y-%m-%d %H:%M} to "
        f"{report.until:%Y-%m-%d %H:%M} UTC: {shares}"
    )


def worst_answers(rows: Sequence[TraceRow]) -> list[TraceRow]:
    """Answers with a score below `LOW`, the lowest first."""
    low = [row for row in rows if row.scores and min(row.scores.values()) < LOW]
    return sorted(low, key=lambda row: min(row.scores.values()))[:WORST_ROWS]


def require_answers(report: TraceReport) -> None:
    """Pass when the report is refused for no reason.

    Raises:
        DemandsMissed: there are reasons.
    """
    if report.refused:
        # Without the questions: the message of a failed run goes to logs and webhooks.
        worst = [f"  trace {row.trace_id}: {_in_words(row)}" for row in worst_answers(report.rows)]
        raise DemandsMissed("; ".join(report.refused) + ". Worst answers:\n" + "\n".join(worst))


def _described(row: TraceRow) -> dict[str, object]:
    return {"trace": row.trace_id, "kind": row.kind, "question": row.question, "scores": _in_words(row)}


def _in_words(row: TraceRow) -> str:
    return ", ".join(f"{metric} {value:.2f}" for metric, value in row.scores.items())
