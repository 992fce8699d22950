"""A judge's scores of people's answers, written to the traces that they were read from."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.evaluation.trace_report import TraceReport
from tasks.langfuse.api import LangfuseUnavailable, langfuse_api, project_key, write_scores
from tasks.langfuse.destination import LangfuseProject
from tasks.runs.log import run_log


@task(task_run_name="write-scores", cache_policy=NO_CACHE, persist_result=False)
def write_trace_scores(settings: Environment, project: LangfuseProject, report: TraceReport) -> bool:
    """Give each trace what the judge said; sent again, the same report replaces what it wrote.

    A Langfuse that goes away is named in the log, and the outcome is False: what was measured does not depend on it.

    Raises:
        InvalidSettings, MissingCredentials, ClientError: there is no key.
    """
    # It takes a second to import, which every start of a flow would pay.
    from langfuse.api import CreateScoreRequest, ScoreDataType

    judge = None if report.judging is None else report.judging.model
    scores = [
        CreateScoreRequest(
            id=f"{row.trace_id}-{metric}",
            trace_id=row.trace_id,
            name=metric,
            value=value,
            data_type=ScoreDataType.NUMERIC,
            comment=f"judged by {judge}",
            environment=report.environment,
            # Without it a score that is sent again would be a second one.
            timestamp=report.created_at,
        )
        for row in report.rows
        for metric, value in row.judged.items()
    ]
    try:
        with langfuse_api(project, project_key(settings, project)) as api:
            written = write_scores(api, project.host, scores)
    except LangfuseUnavailable as error:
        run_log().warning("the scores of this run are not in Langfuse: %s", error)
        return False
    run_log().info("%d scores are on their traces in Langfuse", written)
    return True
