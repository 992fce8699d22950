"""The stage `evaluation`: measure retrieval and answers on the labelled questions, and fail below a threshold."""

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated

from prefect import flow, get_run_logger
from pydantic import Field

from flows import command_line
from flows.evaluation_sites import site_of
from tasks.artifacts import begin_progress
from tasks.assistant_api import ask_all, search_all
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.evaluation_artifacts import STAGE, in_words, publish_evaluation
from tasks.evaluation_gate import comparable, missed, require_demands
from tasks.evaluation_inputs import GoldenInputs, golden_inputs
from tasks.evaluation_report import Report, reusable
from tasks.evaluation_scores import metric_intervals, metric_values, question_rows, spread
from tasks.evaluation_site import Asked, EvaluationSite
from tasks.gateway_embedding import gateway_embedding
from tasks.judging import judge_answers
from tasks.langfuse_scores import publish_scores
from tasks.run_origin import record_origin
from tasks.trend_artifact import publish_trend

SEARCHED_PASSAGES = 10
MARGIN_SECONDS = 30


@dataclass(frozen=True)
class Evaluated:
    """What came of the stage in one line, and the report; there is none without labelled questions."""

    summary: str
    report: Report | None


@flow(name="evaluation", persist_result=True, on_running=[record_origin])
def evaluation(
    environment: EnvironmentName, answers: Annotated[int, Field(ge=0)] | None = None, reuse: bool = False
) -> Evaluated:
    """Measure an environment's knowledge and answers on its golden set.

    Args:
        environment: the environment that is measured; on AWS a service of the run's own is asked
        answers: how many questions are answered in full, which takes seconds each; all by default
        reuse: take the last report when nothing changed that could change its result
    """
    settings = load_environment(environment)
    site = site_of(settings)
    golden = golden_inputs(settings, site.outputs)
    if not golden.labelled:
        outcome = Evaluated(f"no labelled questions for this corpus ({golden.corpus}): nothing was measured", None)
        get_run_logger().info(outcome.summary)
        return outcome
    reports = site.reports.read()
    wanted = len(spread(golden.questions, answers))
    kept = reusable(reports, golden.inputs, wanted) if reuse else None
    report = kept or measured(settings, site, golden, answers)
    earlier = [other for other in reports if other.created_at != report.created_at]
    passed = comparable(report, earlier)
    # A report that is used again is held to what the file demands now.
    report = report.model_copy(update={"refused": missed(report, settings.evaluation, passed)})
    if kept is None:
        site.reports.write(report)
    publish_evaluation(environment, report, passed or earlier, settings.evaluation)
    publish_trend(environment, STAGE, [report, *earlier], settings.evaluation)
    outcome = Evaluated(_summary(report, reused=kept is not None), report)
    get_run_logger().info(outcome.summary)
    if report.judging is not None:
        get_run_logger().info(in_words(report.judging, settings.evaluation))
    try:
        if kept is None:
            publish_scores(settings, report, golden.questions)
    finally:
        # A copy that fails must not hide what was missed.
        require_demands(report, passed)
    return outcome


def _summary(report: Report, *, reused: bool) -> str:
    scores = ", ".join(f"{metric} {value:.3f}" for metric, value in report.scores.items())
    origin = f"nothing changed since {report.created_at:%Y-%m-%d %H:%M} UTC, its report holds: " if reused else ""
    return f"{origin}{len(report.rows)} questions, {report.answered} answered in full: {scores}"


def measured(settings: Environment, site: EvaluationSite, golden: GoldenInputs, answers: int | None) -> Report:
    """Have the service of the site answer, and measure what it says."""
    with site.asked() as asked:
        return measure(settings, golden, answers, asked)


def measure(settings: Environment, golden: GoldenInputs, answers: int | None, asked: Asked) -> Report:
    """Search for all questions, ask `answers` of them (None: all), and score what came back."""
    started = monotonic()
    seconds = settings.agents.answer_seconds + MARGIN_SECONDS
    texts = [question.question for question in golden.questions]
    searched = search_all(asked.service, texts, SEARCHED_PASSAGES, seconds, asked.caller_key)
    chosen = spread(golden.questions, answers)
    progress = begin_progress(settings.name, "evaluation", "progress", f"{len(chosen)} questions answered in full")
    said = ask_all(
        asked.service,
        [question.question for question in chosen],
        seconds,
        lambda done: progress.update(done, len(chosen)),
        asked.caller_key,
    )
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
        environment=settings.name.value,
        generation=golden.generation,
        inputs=golden.inputs,
        scores=metric_values(rows, metrics),
        intervals=metric_intervals(rows, metrics),
        judging=judging,
        rows=rows,
        seconds=round(monotonic() - started, 1),
    )


if __name__ == "__main__":
    command_line.run(evaluation)
