"""The flow `traces`: measure answers to people's questions, sampled from Langfuse, and fail below a threshold."""

from dataclasses import dataclass
from datetime import UTC, datetime

from prefect import flow, get_run_logger

from flows import command_line
from flows.evaluation_sites import site_of
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.quality import Evaluation
from tasks.environment.variable_file import load_environment
from tasks.evaluation_artifacts import in_words
from tasks.evaluation_gate import missed
from tasks.evaluation_site import EvaluationSite
from tasks.golden import read_golden_set
from tasks.langfuse import langfuse_project
from tasks.langfuse_trace_scores import write_trace_scores
from tasks.langfuse_traces import TraceSample, sample_traces
from tasks.run_origin import record_origin
from tasks.trace_artifacts import STAGE, about, publish_traces, require_answers
from tasks.trace_report import Period, TraceReport, next_period
from tasks.trace_scoring import trace_intervals, trace_rows, trace_values
from tasks.trend_artifact import publish_trend


@dataclass(frozen=True)
class MeasuredTraces:
    """What came of the run in one line, and the report; there is none where nothing was measured."""

    summary: str
    report: TraceReport | None


@flow(name="traces", persist_result=True, on_running=[record_origin])
def traces(environment: EnvironmentName) -> MeasuredTraces:
    """Measure what people were answered since the last run, on a sample of the traces in Langfuse.

    Args:
        environment: the environment whose answers are measured
    """
    settings = load_environment(environment)
    wanted, project = settings.evaluation.traces, langfuse_project(settings)
    if wanted is None or project is None:
        return _nothing(f"evaluation.traces of {environment.value!r} is not set: no trace is measured")
    site = site_of(settings)
    reports = site.trace_reports.read()
    period = next_period(reports, wanted.most_days, datetime.now(UTC))
    # Probes and the release gate ask golden questions, which are measured by themselves.
    golden = frozenset(each.question for each in read_golden_set(REPOSITORY / settings.evaluation.dataset))
    sample = sample_traces(settings, project, period, wanted.sample, golden)
    if not sample.answers:
        return _nothing(
            f"nobody was answered between {period.since:%Y-%m-%d %H:%M} and {period.until:%Y-%m-%d %H:%M} UTC"
        )
    demands = settings.evaluation.of_traces(wanted)
    report = measured(settings, site, demands, period, sample)
    passed = [other for other in reports if not other.refused]
    report = report.model_copy(update={"refused": missed(report, demands, passed, sampled=True)})
    site.trace_reports.write(report)
    publish_traces(environment, report, reports, demands)
    publish_trend(environment, STAGE, [report, *reports], demands)
    write_trace_scores(settings, project, report)
    if report.judging is not None:
        get_run_logger().info(in_words(report.judging, demands))
    require_answers(report)
    scores = ", ".join(f"{metric} {value:.3f}" for metric, value in report.scores.items())
    get_run_logger().info("%s: %s", about(report), scores)
    return MeasuredTraces(f"{about(report)}: {scores}", report)


def measured(
    settings: Environment, site: EvaluationSite, demands: Evaluation, period: Period, sample: TraceSample
) -> TraceReport:
    """Have the sampled answers scored."""
    rows, judging = trace_rows(settings, demands.judged_metrics, sample.answers, site.gateway)
    return TraceReport(
        created_at=datetime.now(UTC),
        environment=settings.name.value,
        since=period.since,
        until=period.until,
        found=sample.found,
        scores=trace_values(rows, demands.metrics),
        intervals=trace_intervals(rows, demands.metrics),
        rows=rows,
        judging=judging,
    )


def _nothing(reason: str) -> MeasuredTraces:
    get_run_logger().info(reason)
    return MeasuredTraces(reason, None)


if __name__ == "__main__":
    command_line.run(traces)
