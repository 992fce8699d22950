"""The flow `traces`: measure answers to people's questions, sampled from Langfuse, and fail below a threshold."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from prefect import State, flow

from flows import command_line
from flows.completed import completed_with
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.quality import Evaluation
from tasks.environment.variable_file import load_environment
from tasks.evaluation.artifacts import in_doubt
from tasks.evaluation.gate import missed
from tasks.evaluation.site import EvaluationSite
from tasks.evaluation.sites import site_of
from tasks.evaluation.trace_artifacts import STAGE, about, publish_traces, require_answers
from tasks.evaluation.trace_report import Period, TraceReport, next_period
from tasks.evaluation.trace_scoring import trace_intervals, trace_rows, trace_values
from tasks.evaluation.trend_artifact import publish_trend
from tasks.golden.dataset import read_golden_set
from tasks.langfuse.destination import langfuse_project
from tasks.langfuse.trace_scores import write_trace_scores
from tasks.langfuse.traces import TraceSample, sample_traces
from tasks.langfuse.unsent_scores import send_unsent
from tasks.runs.origin import record_origin


@dataclass(frozen=True)
class MeasuredTraces:
    """What came of the run in one line, and the report; there is none where nothing was measured."""

    summary: str
    report: TraceReport | None


@flow(name="traces", persist_result=True, on_running=[record_origin], timeout_seconds=21600)
def traces(environment: EnvironmentName) -> MeasuredTraces | State[Any]:
    """Measure what people were answered since the last run, on a sample of the traces in Langfuse.

    Args:
        environment: the environment whose answers are measured
    """
    settings = load_environment(environment)
    wanted, project = settings.evaluation.traces, langfuse_project(settings)
    if wanted is None or project is None:
        return completed_with(
            MeasuredTraces(f"evaluation.traces of {environment.value!r} is not set: no trace is measured", None)
        )
    site = site_of(settings)
    # However many failed since, the last good one is compared with.
    reports = site.trace_reports.read(lambda kept: not kept.refused)
    send = partial(write_trace_scores, settings, project)
    # Those of a run that was killed before it sent them.
    send_unsent(site.trace_reports, reports, send)
    period = next_period(reports, wanted.most_days, datetime.now(UTC))
    # Probes and the release gate ask golden questions, which are measured by themselves.
    golden = frozenset(each.question for each in read_golden_set(REPOSITORY / settings.evaluation.dataset))
    sample = sample_traces(settings, project, period, wanted.sample, golden)
    if not sample.answers:
        asked = f"between {period.since:%Y-%m-%d %H:%M} and {period.until:%Y-%m-%d %H:%M} UTC"
        return completed_with(MeasuredTraces(f"nobody was answered {asked}", None))
    demands = settings.evaluation.of_traces(wanted)
    report = measured(settings, site, demands, period, sample)
    passed = [other for other in reports if not other.refused]
    report = report.model_copy(update={"refused": missed(report, demands, passed, sampled=True)})
    site.trace_reports.write(report)
    publish_traces(environment, report, reports, demands)
    publish_trend(environment, STAGE, [report, *reports], demands)
    send_unsent(site.trace_reports, [report], send)
    require_answers(report)
    scores = ", ".join(f"{metric} {value:.3f}" for metric, value in report.scores.items())
    return completed_with(MeasuredTraces(f"{in_doubt(report, demands)}{about(report)}: {scores}", report))


def measured(
    settings: Environment, site: EvaluationSite, demands: Evaluation, period: Period, sample: TraceSample
) -> TraceReport:
    """Have the sampled answers scored."""
    rows, judging = trace_rows(settings, demands.judged_metrics, sample.answers, site.gateway)
    return TraceReport(
        created_at=datetime.now(UTC),
        unsent=True,
        environment=settings.name.value,
        since=period.since,
        until=period.until,
        found=sample.found,
        scores=trace_values(rows, demands.metrics),
        intervals=trace_intervals(rows, demands.metrics),
        rows=rows,
        judging=judging,
    )


if __name__ == "__main__":
    command_line.run(traces)
