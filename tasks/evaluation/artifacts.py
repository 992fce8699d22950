"""What an evaluation shows in the Prefect UI."""

from collections.abc import Mapping, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import publish_picture, publish_table
from tasks.environment import EnvironmentName
from tasks.environment.quality import Evaluation, JudgedMetric, Metric
from tasks.evaluation.gate import demands_it, distrusted, failing, missing_scores, worst_rows
from tasks.evaluation.measured import Measured
from tasks.evaluation.report import Judging, QuestionRow, Report
from tasks.evaluation.score_plot import plot_scores

STAGE = "evaluation"


@task(task_run_name="publish-evaluation", cache_policy=NO_CACHE)
def publish_evaluation(
    environment: EnvironmentName, report: Report, previous: Sequence[Report], demands: Evaluation
) -> None:
    """Publish the table of scores, the worst questions, the plot, and what became of the judge where there was one.

    The first of `previous` is compared with.
    """
    before: dict[Metric, float] = previous[0].scores if previous else {}
    publish_table(
        environment,
        STAGE,
        "scores",
        score_table(report, before, demands),
        in_doubt(report, demands) + _about(report) + _changed(report, previous),
    )
    worst = [_described(row) for row in worst_rows(report.rows)]
    nothing = [{"question": "none: every question was handled right"}]
    publish_table(environment, STAGE, "worst-questions", worst or nothing, "Questions that went wrong, worst first")
    png = plot_scores(report.scores, demands.thresholds, before)
    publish_picture(environment, STAGE, "plot", png, "Scores, thresholds and the previous run")
    if report.judging is not None:
        rows = judge_table(report, report.judging, demands)
        publish_table(environment, STAGE, "judge", rows, in_words(report.judging, demands))


def score_table(report: Measured, previous: Mapping[Metric, float], demands: Evaluation) -> list[dict[str, object]]:
    """A row for each metric: value, 95 % interval, missing scores, threshold, value before, change, is it reached."""
    return [
        {
            "metric": metric,
            "value": value,
            "interval": _interval(report.intervals.get(metric)),
            "missing": _missing(report, metric),
            "threshold": demands.thresholds.get(metric, ""),
            "previous": previous.get(metric, ""),
            "change": round(value - previous[metric], 4) if metric in previous else "",
            "reached": _reached(metric, value, report, demands),
        }
        for metric, value in report.scores.items()
    ]


def judge_table(report: Measured, judging: Judging, demands: Evaluation) -> list[dict[str, object]]:
    """What is known of the judge, how many of each metric's scores are missing, and which thresholds it proposes."""
    missing = {metric: missing_scores(report.rows, metric) for metric in demands.judged_metrics}
    kappa = "undefined" if judging.kappa is None else judging.kappa
    return [
        {"what": "judge", "value": judging.model},
        {"what": "agreement with people (Cohen's kappa)", "value": kappa},
        {"what": "its 95 % interval", "value": _interval(judging.interval)},
        {"what": "labelled statements with a verdict", "value": judging.labelled},
        {"what": "tokens", "value": f"{judging.tokens} of {demands.judge_tokens}"},
        *(
            {"what": f"missing of {metric}", "value": f"{failed} of {asked}"}
            for metric, (failed, asked) in missing.items()
        ),
        *(
            {"what": f"{metric} has no threshold yet", "value": _proposed(metric, report, demands)}
            for metric in demands.judged_metrics
            if metric not in demands.thresholds
        ),
    ]


def in_words(judging: Judging, demands: Evaluation) -> str:
    """Whether the judge's scores may fail a run, and why not."""
    return distrusted(judging, demands) or "The judge agrees with people, its scores count"


def in_doubt(report: Measured, demands: Evaluation) -> str:
    """What a reader has to know first: that the judge's scores do not count; empty where they do, or nobody judged."""
    why = "" if report.judging is None else distrusted(report.judging, demands)
    return f"{why}. " if why else ""


def _proposed(metric: JudgedMetric, report: Measured, demands: Evaluation) -> str:
    """A threshold to begin with is what the judge would hardly fall below over other questions of the same kind."""
    if metric not in report.intervals or not demands_it(metric, report, demands):
        return "none is proposed from this run, see the judge"
    low, _ = report.intervals[metric]
    return f"this run proposes {metric} = {low:.2f}, the lower end of its 95 % interval"


def _reached(metric: Metric, value: float, report: Measured, demands: Evaluation) -> str:
    if metric not in demands.thresholds:
        return ""
    if not demands_it(metric, report, demands):
        return "not asked: see the judge"
    return "yes" if value >= demands.thresholds[metric] else "NO"


def _missing(report: Measured, metric: Metric) -> str:
    failed, asked = missing_scores(report.rows, metric)
    return f"{failed} of {asked}" if failed else ""


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _described(row: QuestionRow) -> dict[str, object]:
    ranks = ", ".join("not found" if rank is None else str(rank) for rank in row.ranks)
    return {
        "id": row.id,
        "kind": row.kind,
        "question": row.question,
        "problem": failing(row),
        "ranks of evidence": ranks,
        "relevancy": "" if row.relevancy is None else row.relevancy,
    }


def _changed(report: Report, previous: Sequence[Report]) -> str:
    if not previous:
        return ""
    names = report.inputs.changed_since(previous[0].inputs)
    return f". Changed since the report of {previous[0].created_at:%Y-%m-%d %H:%M} UTC: {', '.join(names) or 'nothing'}"


def _about(report: Report) -> str:
    return (
        f"Generation {report.generation}: {report.searched} of {len(report.rows)} questions searched, "
        f"{report.answered} answered in full, {report.created_at:%Y-%m-%d %H:%M} UTC, {report.seconds:.0f} s"
    )
