"""The stage `evaluation`: measure retrieval and answers on the labelled questions, and fail below a threshold."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Annotated, Any

from prefect import State, flow
from pydantic import Field

from flows import command_line
from flows.completed import completed_with
from tasks.agent_service.http_api import SearchAnswer, TimedAnswer
from tasks.artifacts import begin_progress
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.evaluation.artifacts import STAGE, in_doubt, publish_evaluation
from tasks.evaluation.gate import comparable, is_comparable, missed, require_demands
from tasks.evaluation.inputs import (
    GenerationMoved,
    GoldenInputs,
    golden_inputs,
    require_generation,
    require_never_measured,
)
from tasks.evaluation.judging import judge_answers
from tasks.evaluation.report import Report, reusable
from tasks.evaluation.scores import metric_intervals, metric_values, question_rows
from tasks.evaluation.site import Asked, EvaluationSite
from tasks.evaluation.sites import site_of
from tasks.evaluation.trend_artifact import publish_trend
from tasks.gateway.embedding import gateway_embedding
from tasks.golden.answers import ask_all, search_most
from tasks.golden.dataset import spread
from tasks.langfuse.scores import publish_scores, scores_project
from tasks.langfuse.unsent_scores import send_unsent
from tasks.runs.log import run_log
from tasks.runs.origin import record_origin

SEARCHED_PASSAGES = 10
MARGIN_SECONDS = 30


@dataclass(frozen=True)
class Evaluated:
    """What came of the stage in one line, and the report; there is none without labelled questions."""

    summary: str
    report: Report | None


@flow(name="evaluation", persist_result=True, on_running=[record_origin], timeout_seconds=21600)
def evaluation(
    environment: EnvironmentName, answers: Annotated[int, Field(ge=0)] | None = None, reuse: bool = False
) -> Evaluated | State[Any]:
    """Measure an environment's knowledge and answers on its golden set.

    Args:
        environment: the environment that is measured; on AWS a service of the run's own is asked
        answers: how many questions are answered in full, which takes seconds each; all by default
        reuse: take the last report when nothing changed that could change its result
    """
    settings = load_environment(environment)
    site = site_of(settings)
    golden = golden_inputs(settings, site.outputs)
    reports = site.reports.read()
    if not golden.labelled:
        require_never_measured(golden, reports)
        outcome = Evaluated(f"no labelled questions for this corpus ({golden.corpus}): nothing was measured", None)
        return completed_with(outcome)
    wanted = len(spread(golden.questions, answers))
    kept = reusable(reports, golden.inputs, wanted) if reuse else None
    report = kept or measured(settings, site, golden, answers)
    # However many failed since, the last good one is compared with.
    earlier = [
        other for other in site.reports.read(partial(is_comparable, report)) if other.created_at != report.created_at
    ]
    passed = comparable(report, earlier)
    # A report that is used again is held to what the file demands now.
    report = report.model_copy(update={"refused": missed(report, settings.evaluation, passed)})
    if kept is None:
        site.reports.write(report)
    publish_evaluation(environment, report, passed or earlier, settings.evaluation)
    publish_trend(environment, STAGE, [report, *earlier], settings.evaluation)
    try:
        # Also those of a run that was killed before it sent them.
        in_order = reports if kept else [report, *reports]
        send_unsent(site.reports, in_order, partial(publish_scores, settings, questions=golden.questions))
    finally:
        # A copy that fails must not hide what was missed.
        require_demands(report, passed)
    doubt = in_doubt(report, settings.evaluation)
    return completed_with(Evaluated(doubt + _summary(report, reused=kept is not None), report))


def _summary(report: Report, *, reused: bool) -> str:
    scores = ", ".join(f"{metric} {value:.3f}" for metric, value in report.scores.items())
    origin = f"nothing changed since {report.created_at:%Y-%m-%d %H:%M} UTC, its report holds: " if reused else ""
    return f"{origin}{len(report.rows)} questions, {report.answered} answered in full: {scores}"


def measured(settings: Environment, site: EvaluationSite, golden: GoldenInputs, answers: int | None) -> Report:
    """Have the service of the site answer, and measure what it says; once more where another generation came meanwhile.

    Raises:
        GenerationMoved: yet another one came.
    """
    with site.asked() as asked:
        try:
            return measure(settings, golden, answers, asked)
        except GenerationMoved as moved:
            run_log().warning("%s; all are asked once more", moved)
            return measure(settings, golden_inputs(settings, site.outputs), answers, asked)


def measure(settings: Environment, golden: GoldenInputs, answers: int | None, asked: Asked) -> Report:
    """Search for all questions, ask `answers` of them (None: all), and score what came back."""
    started = monotonic()
    seconds = settings.agents.answer_seconds + MARGIN_SECONDS
    texts = [question.question for question in golden.questions]
    most_failed = settings.evaluation.judge_failures
    searched = search_most(asked.service, texts, SEARCHED_PASSAGES, seconds, asked.caller_key, most_failed)
    require_generation(golden, (found.generation for found in searched if isinstance(found, SearchAnswer)))
    chosen = spread(golden.questions, answers)
    progress = begin_progress(settings.name, "evaluation", "progress", f"{len(chosen)} questions answered in full")
    said = ask_all(
        asked.service,
        [question.question for question in chosen],
        seconds,
        lambda done: progress.update(done, len(chosen)),
        asked.caller_key,
        most_failed,
    )
    require_generation(golden, (answer.said.generation for answer in said if isinstance(answer, TimedAnswer)))
    with gateway_embedding(
        asked.gateway, asked.key.get_secret_value(), settings.models, settings.models.embedding
    ) as embed:
        rows = question_rows(
            golden.questions,
            searched,
            {question.id: answer for question, answer in zip(chosen, said, strict=True)},
            stored=golden.stored,
            relevancy_threshold=settings.agents.relevancy_threshold,
            passages=settings.agents.passages,
            embed=embed,
        )
        rows, judging = judge_answers(settings, asked, golden.questions, searched, rows, embed)
    metrics = settings.evaluation.metrics
    return Report(
        created_at=datetime.now(UTC),
        unsent=scores_project(settings) is not None,
        environment=settings.name.value,
        generation=golden.generation,
        corpus=golden.corpus,
        inputs=golden.inputs,
        scores=metric_values(rows, metrics),
        intervals=metric_intervals(rows, metrics),
        judging=judging,
        rows=rows,
        seconds=round(monotonic() - started, 1),
    )


if __name__ == "__main__":
    command_line.run(evaluation)
