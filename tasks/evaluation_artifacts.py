"""What an evaluation shows in the Prefect UI, and whether it reached what the environment demands."""

import base64
from collections.abc import Mapping, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import publish_markdown, publish_table
from tasks.environment import EnvironmentName
from tasks.environment.quality import Metric
from tasks.evaluation_report import QuestionRow, Report
from tasks.score_plot import plot_scores

STAGE = "evaluation"
WORST_ROWS = 10


class ThresholdMissed(Exception):
    """A metric is below what the environment file demands; lists metric, value, threshold and the worst questions."""


@task(task_run_name="publish-evaluation", cache_policy=NO_CACHE)
def publish_evaluation(
    environment: EnvironmentName, report: Report, previous: Report | None, thresholds: Mapping[Metric, float]
) -> None:
    """Publish the table of scores, the worst questions and the plot."""
    before = {} if previous is None else previous.scores
    publish_table(environment, STAGE, "scores", score_table(report.scores, before, thresholds), _about(report))
    worst = [_described(row) for row in worst_rows(report.rows)]
    nothing = [{"question": "none: every question was handled right"}]
    publish_table(environment, STAGE, "worst-questions", worst or nothing, "Questions that went wrong, worst first")
    png = base64.b64encode(plot_scores(report.scores, thresholds, before)).decode("ascii")
    # As Markdown, since below an image artifact the UI repeats the whole data URI as a link.
    image = f"![scores](data:image/png;base64,{png})"
    publish_markdown(environment, STAGE, "plot", image, "Scores, thresholds and the previous run")


def require_thresholds(report: Report, thresholds: Mapping[Metric, float]) -> None:
    """Pass when every metric that was measured reaches its threshold.

    Raises:
        ThresholdMissed: one does not.
    """
    missed = [
        f"{metric} = {report.scores[metric]:.3f} is below its threshold {threshold:.3f}"
        for metric, threshold in thresholds.items()
        if metric in report.scores and report.scores[metric] < threshold
    ]
    if missed:
        worst = [f"  {row.id} ({row.kind}) {row.question!r}: {failing(row)}" for row in worst_rows(report.rows)]
        raise ThresholdMissed("; ".join(missed) + ". Worst questions:\n" + "\n".join(worst))


def score_table(
    scores: Mapping[Metric, float], previous: Mapping[Metric, float], thresholds: Mapping[Metric, float]
) -> list[dict[str, object]]:
    """A row for each metric: value, threshold, previous value, change, and whether the threshold is reached."""
    return [
        {
            "metric": metric,
            "value": value,
            "threshold": thresholds.get(metric, ""),
            "previous": previous.get(metric, ""),
            "change": round(value - previous[metric], 4) if metric in previous else "",
            "reached": "" if metric not in thresholds else "yes" if value >= thresholds[metric] else "NO",
        }
        for metric, value in scores.items()
    ]


def worst_rows(rows: Sequence[QuestionRow], most: int = WORST_ROWS) -> list[QuestionRow]:
    """The questions that went wrong, the worst first: wrong abstentions, then evidence not found, then found late."""
    wrong = [row for row in rows if failing(row)]
    return sorted(wrong, key=_badness)[:most]


def failing(row: QuestionRow) -> str:
    """What went wrong with a question, in words; empty when nothing did."""
    problems: list[str] = []
    if row.answerable == row.abstained:
        problems.append(f"{'abstained' if row.abstained else 'did not abstain'} at relevancy {row.relevancy:.3f}")
    if None in row.ranks:
        problems.append(f"{row.ranks.count(None)} of {len(row.ranks)} quotes not found")
    elif late := [rank for rank in row.ranks if rank is not None and rank > 5]:
        problems.append(f"evidence only at rank {', '.join(map(str, late))}")
    return "; ".join(problems)


def _badness(row: QuestionRow) -> tuple[bool, float, float]:
    found = sum(1 / rank for rank in row.ranks if rank is not None) / len(row.ranks) if row.ranks else 0.0
    surprise = row.relevancy if row.answerable else -row.relevancy
    return row.answerable != row.abstained, found, surprise


def _described(row: QuestionRow) -> dict[str, object]:
    ranks = ", ".join("not found" if rank is None else str(rank) for rank in row.ranks)
    return {
        "id": row.id,
        "kind": row.kind,
        "question": row.question,
        "problem": failing(row),
        "ranks of evidence": ranks,
        "relevancy": row.relevancy,
    }


def _about(report: Report) -> str:
    return (
        f"Generation {report.generation}: {len(report.rows)} questions searched, {report.answered} answered in full, "
        f"{report.created_at:%Y-%m-%d %H:%M} UTC, {report.seconds:.0f} s"
    )
