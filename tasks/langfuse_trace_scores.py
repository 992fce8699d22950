"""A judge's scores of people's answers, written to the traces that they were read from."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.langfuse import LangfuseProject
from tasks.langfuse_api import LangfuseUnavailable, answered, langfuse_api, project_key
from tasks.run_log import run_log
from tasks.trace_report import TraceReport

BATCH = 100


@task(task_run_name="write-scores", cache_policy=NO_CACHE, persist_result=False)
def write_trace_scores(settings: Environment, project: LangfuseProject, report: TraceReport) -> None:
    """Give each trace what the judge said; a second run replaces what the first one wrote.

    A Langfuse that goes away is named in the log: the report is kept, and what was measured does not depend on it.

    Raises:
        InvalidSettings, MissingCredentials, ClientError: there is no key.
    """
    # It takes a second to import, which every start of a flow would pay.
    from langfuse.api import CreateScoreRequest, ScoreDataType
    from langfuse.api.scores import CreateScoreBatchResults

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
        )
        for row in report.rows
        for metric, value in row.judged.items()
    ]
    refused = 0
    try:
        with langfuse_api(project, project_key(settings, project)) as api:
            for start in range(0, len(scores), BATCH):
                batch = scores[start : start + BATCH]
                outcome = answered(project.host, lambda batch=batch: api.scores.create(request=batch))
                refused += outcome.rejected if isinstance(outcome, CreateScoreBatchResults) else 0
    except LangfuseUnavailable as error:
        run_log().warning("the scores of this run are not in Langfuse: %s", error)
        return
    if refused:
        run_log().warning("Langfuse refused %d of %d scores", refused, len(scores))
    run_log().info("%d scores are on their traces in Langfuse", len(scores) - refused)
