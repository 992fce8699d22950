"""Whether an evaluation reached what the environment demands: thresholds, the last good report, and the judge."""

from collections.abc import Collection, Sequence

from tasks.environment.quality import JUDGED, Evaluation, Metric
from tasks.evaluation.measured import Measured, MeasuredRow
from tasks.evaluation.report import Judging, QuestionRow, Report

WORST_ROWS = 10
# Measured on the labelled questions themselves, however many of them are answered in full.
_IN_EVERY_RUN: frozenset[Metric] = frozenset(
    {"recall_at_5", "mrr", "abstention_accuracy", "context_precision", "context_recall"}
)
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

    A metric that fell beyond the tolerance has also to lie below the one before with its interval where each report is
    over a sample of its own, and where it has no threshold: nobody has seen yet how much it moves from run to run.
    """
    demanded: dict[Metric, float] = {
        metric: least for metric, least in demands.thresholds.items() if demands_it(metric, report, demands)
    }
    below = [
        f"{metric} = {report.scores[metric]:.3f} is below its threshold {threshold:.3f}"
        for metric, threshold in demanded.items()
        if metric in report.scores and report.scores[metric] < threshold
    ]
    fell = _worse(report, demands, before, sampled)
    return (*below, *_unmeasured(report, demanded), *fell, *_missing(report, demands), *_unjudged(report, demands))


def demands_it(metric: Metric, report: Measured, demands: Evaluation) -> bool:
    """Whether the metric may fail the run: a judged one only by a judge that agrees with people and could finish."""
    return metric not in JUDGED or (report.judging is not None and not distrusted(report.judging, demands))


def distrusted(judging: Judging, demands: Evaluation) -> str:
    """Why a judge's scores demand nothing, in words; empty when they count."""
    if judging.halted:
        return (
            f"The judge stopped at its {demands.judge_tokens} tokens: its scores are incomplete and count for nothing"
        )
    if not judging.calibrated(demands.judge_kappa):
        least = f"{demands.judge_kappa:g}"
        return f"Uncalibrated: the judge agrees with people less than {least}, its scores count for nothing"
    return ""


def comparable(report: Report, others: Sequence[Report]) -> list[Report]:
    """Those of `others`, in their order, that passed before it, over the same questions and as many full answers."""
    return [other for other in others if is_comparable(report, other)]


def is_comparable(report: Report, other: Report) -> bool:
    """Whether `other` passed before `report`, over the same questions and as many full answers."""
    return (
        other.inputs.golden == report.inputs.golden
        and {row.id for row in other.rows if row.asked} == {row.id for row in report.rows if row.asked}
        and not other.refused
        and other.created_at < report.created_at
    )


def worst_rows(rows: Sequence[QuestionRow]) -> list[QuestionRow]:
    """The questions that went wrong, the worst first: wrong abstentions, evidence not found or late, low scores."""
    wrong = [row for row in rows if failing(row)]
    return sorted(wrong, key=_badness)[:WORST_ROWS]


def failing(row: QuestionRow) -> str:
    """What went wrong with a question, in words; empty when nothing did."""
    problems: list[str] = [] if row.unsearched is None else [f"not searched: {row.unsearched}"]
    problems += [] if row.failed is None else [f"not answered: {row.failed}"]
    if row.relevancy is not None and row.answerable == row.abstained:
        problems.append(f"{'abstained' if row.abstained else 'did not abstain'} at relevancy {row.relevancy:.3f}")
    if None in row.ranks:
        problems.append(f"{row.ranks.count(None)} of {len(row.ranks)} quotes not found")
    elif late := [rank for rank in row.ranks if rank is not None and rank > 5]:
        problems.append(f"evidence only at rank {', '.join(map(str, late))}")
    problems += [f"{metric} {score:.2f}" for metric, score in row.judged.items() if score < LOW]
    return "; ".join(problems)


def missing_scores(rows: Sequence[MeasuredRow], metric: Metric) -> tuple[int, int]:
    """How many of a metric's scores are missing, as the judge failed or they are no numbers, and how many are due."""
    failed = sum(metric in row.missing for row in rows)
    return failed, failed + sum(metric in row.scores for row in rows)


def _worse(report: Measured, demands: Evaluation, before: Sequence[Measured], sampled: bool) -> list[str]:
    if demands.most_worse is None:
        return []
    reasons: list[str] = []
    for metric in demands.metrics:
        if not demands_it(metric, report, demands):
            continue
        # An older one where the judge was not to be trusted since: days of a bad judge must not hide a fall.
        last = next((each for each in before if metric in each.scores and demands_it(metric, each, demands)), None)
        if last is None or metric not in report.scores:
            continue
        chance = (sampled or metric not in demands.thresholds) and not _lies_below(metric, report, last)
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


def _unmeasured(report: Measured, demanded: Collection[Metric]) -> list[str]:
    return [
        f"{metric} was not measured: no labelled question is of the kind that it is defined for. Add some, or take its "
        "threshold out of the environment file"
        for metric in demanded
        if metric in _IN_EVERY_RUN and metric not in report.scores
    ]


def _missing(report: Measured, demands: Evaluation) -> list[str]:
    reasons: list[str] = []
    for metric in demands.metrics:
        failed, asked = missing_scores(report.rows, metric)
        if failed > demands.judge_failures * asked:
            first = next(row.missing[metric] for row in report.rows if metric in row.missing)
            reasons.append(
                f"{metric}: {failed} of {asked} scores are missing, above the allowed share "
                f"{demands.judge_failures:g}; first reason: {first}"
            )
    return reasons


def _unjudged(report: Measured, demands: Evaluation) -> list[str]:
    """A threshold that nobody checks is one that everything passes."""
    unchecked = [metric for metric in demands.judged_metrics if metric in demands.thresholds]
    why = "" if report.judging is None else distrusted(report.judging, demands)
    if not unchecked or not why:
        return []
    return [
        f"nobody checked the thresholds of {', '.join(unchecked)}: {why}. Raise evaluation.judge_tokens where they "
        "ended, change models.judge or mend golden/verdicts.json where it disagrees, and run the evaluation again"
    ]


def _badness(row: QuestionRow) -> tuple[bool, float, float]:
    found = sum(1 / rank for rank in row.ranks if rank is not None) / len(row.ranks) if row.ranks else 0.0
    relevancy = row.relevancy or 0.0
    surprise = relevancy if row.answerable else -relevancy
    return row.answerable != row.abstained, min((found, *row.judged.values())), surprise
