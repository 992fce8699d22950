"""Whether an evaluation reached what the environment demands: thresholds, the last good report, and the judge."""

from collections.abc import Sequence

from tasks.environment.quality import JUDGED, Evaluation, JudgedMetric, Metric
from tasks.evaluation_report import QuestionRow, Report
from tasks.measured import JudgedRow, Measured

WORST_ROWS = 10
LOW = 0.5
"""A judged score below it counts as gone wrong."""


class DemandsMissed(Exception):
    """An evaluation did not reach what the environment file demands; lists what was missed, and the worst questions."""


def require_demands(report: Report, before: Sequence[Report]) -> None:
    """Pass when the report is refused for no reason; `before` are those that it was compared with, newest first.

    Raises:
        DemandsMissed: there are reasons.
    """
    if report.refused:
        were_right = {row.id for last in before[:1] for row in last.rows if not failing(row)}
        worst = [
            f"  {row.id} ({row.kind}) {row.question!r}: {failing(row)}"
            + (" (was right before)" if row.id in were_right else "")
            for row in worst_rows(report.rows)
        ]
        raise DemandsMissed("; ".join(report.refused) + ". Worst questions:\n" + "\n".join(worst))


def missed(
    report: Measured, demands: Evaluation, before: Sequence[Measured], *, sampled: bool = False
) -> tuple[str, ...]:
    """What the report misses, a reason each; `before` are the comparable reports that passed, newest first.

    Where each report is over a sample of its own, a metric fell only when its interval lies below the one before.
    """
    demanded: dict[Metric, float] = {
        metric: least for metric, least in demands.thresholds.items() if demands_it(metric, report, demands)
    }
    below = [
        f"{metric} = {report.scores[metric]:.3f} is below its threshold {threshold:.3f}"
        for metric, threshold in demanded.items()
        if metric in report.scores and report.scores[metric] < threshold
    ]
    return (*below, *_worse(report, demands, before, demanded, sampled), *_unjudged(report, demands))


def demands_it(metric: Metric, report: Measured, demands: Evaluation) -> bool:
    """Whether the metric may fail the run: a judged one only by a judge that agrees with people and could finish."""
    judging = report.judging
    return metric not in JUDGED or (
        judging is not None and not judging.halted and judging.calibrated(demands.judge_kappa)
    )


def comparable(report: Report, others: Sequence[Report]) -> list[Report]:
    """Those of `others`, in their order, that passed before it, over the same questions and as many full answers."""
    answered = {row.id for row in report.rows if row.answer}
    return [
        other
        for other in others
        if other.inputs.golden == report.inputs.golden
        and {row.id for row in other.rows if row.answer} == answered
        and not other.refused
        and other.created_at < report.created_at
    ]


def worst_rows(rows: Sequence[QuestionRow], most: int = WORST_ROWS) -> list[QuestionRow]:
    """The questions that went wrong, the worst first: wrong abstentions, evidence not found or late, low scores."""
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
    problems += [f"{metric} {score:.2f}" for metric, score in row.judged.items() if score < LOW]
    return "; ".join(problems)


def missing_scores(rows: Sequence[JudgedRow], metric: JudgedMetric) -> tuple[int, int]:
    """How many of a metric's scores are missing because the judge failed, and how many were asked for."""
    failed = sum(metric in row.unjudged for row in rows)
    return failed, failed + sum(metric in row.judged for row in rows)


def _worse(
    report: Measured, demands: Evaluation, before: Sequence[Measured], demanded: dict[Metric, float], sampled: bool
) -> list[str]:
    if demands.most_worse is None:
        return []
    reasons: list[str] = []
    for metric in demanded:
        # An older one where the judge was not to be trusted since: days of a bad judge must not hide a fall.
        last = next((each for each in before if metric in each.scores and demands_it(metric, each, demands)), None)
        if last is None or metric not in report.scores:
            continue
        chance = sampled and not _lies_below(metric, report, last)
        if last.scores[metric] - report.scores[metric] > demands.most_worse and not chance:
            reasons.append(
                f"{metric} fell from {last.scores[metric]:.3f} on {last.created_at:%Y-%m-%d %H:%M} UTC to "
                f"{report.scores[metric]:.3f}, more than {demands.most_worse:g}"
            )
    return reasons


def _lies_below(metric: Metric, report: Measured, last: Measured) -> bool:
    if metric not in report.intervals or metric not in last.intervals:
        return False
    return report.intervals[metric][1] < last.intervals[metric][0]


def _unjudged(report: Measured, demands: Evaluation) -> list[str]:
    reasons: list[str] = []
    for metric in demands.judged_metrics:
        failed, asked = missing_scores(report.rows, metric)
        if failed > demands.judge_failures * asked:
            first = next(row.unjudged[metric] for row in report.rows if metric in row.unjudged)
            reasons.append(
                f"{metric}: {failed} of {asked} scores are missing, more than the share {demands.judge_failures:g} "
                f"that may be; the first because {first}"
            )
    return reasons


def _badness(row: QuestionRow) -> tuple[bool, float, float]:
    found = sum(1 / rank for rank in row.ranks if rank is not None) / len(row.ranks) if row.ranks else 0.0
    surprise = row.relevancy if row.answerable else -row.relevancy
    return row.answerable != row.abstained, min((found, *row.judged.values())), surprise
