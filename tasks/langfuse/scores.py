"""The scores of an evaluation in Langfuse: an experiment a run, of the golden questions that were answered in full."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.evaluation.report import QuestionRow, Report
from tasks.golden.dataset import GoldenQuestion
from tasks.langfuse.api import LangfuseUnavailable, langfuse_api, project_key, write_scores
from tasks.langfuse.dataset import golden_dataset
from tasks.langfuse.destination import LangfuseProject, langfuse_project
from tasks.runs.log import run_log

if TYPE_CHECKING:
    from langfuse.api import CreateScoreRequest

    from tasks.langfuse.experiment import Experiment

NAME = "golden questions"


def scores_project(settings: Environment) -> LangfuseProject | None:
    """Where an evaluation's scores go: to the Langfuse of an environment on AWS, where it has one."""
    project = langfuse_project(settings)
    return None if project is None or project.secret_name is None else project


@task(task_run_name="publish-scores", cache_policy=NO_CACHE, persist_result=False)
def publish_scores(settings: Environment, report: Report, questions: Sequence[GoldenQuestion]) -> bool:
    """Write the report's answers and scores as an experiment over the golden set, where there is a Langfuse.

    Answers to what `questions` no longer ask are left out. Sent again, the same report replaces what it wrote. A
    Langfuse that is away fails no evaluation: it is in the log, and the outcome is False.

    Raises:
        MissingCredentials, ClientError: the project's secret key cannot be read.
    """
    project = scores_project(settings)
    if project is None:
        return True
    # It takes a second to import, which every start of a flow would pay.
    from tasks.langfuse.experiment import send_experiment

    asked = {question.id: question.question for question in questions}
    rows = {row.id: row for row in report.rows if row.answer is not None and asked.get(row.id) == row.question}
    answers = {name: row.answer.text for name, row in rows.items() if row.answer is not None}
    run_name = f"{report.created_at:%Y-%m-%d %H:%M:%S} {report.generation}"
    try:
        key = project_key(settings, project)
        with langfuse_api(project, key) as api:
            items = golden_dataset(api, project.host, settings.name.value, questions)
            name = f"{settings.name.value} {NAME}"
            experiment = send_experiment(project, key, name, run_name, items, answers)
            write_scores(api, project.host, _scores(report, experiment, rows.values()))
    except LangfuseUnavailable as error:
        run_log().warning("the scores of the evaluation %r are not all in Langfuse: %s", run_name, error)
        return False
    run_log().info("scores of %d answers are the experiment %r of Langfuse", len(experiment.places), run_name)
    return True


def _named(row: QuestionRow) -> dict[str, float]:
    relevancy = {} if row.relevancy is None else {"relevancy": row.relevancy}
    return {**relevancy, **row.scores}


def _scores(report: Report, experiment: "Experiment", rows: Iterable[QuestionRow]) -> "list[CreateScoreRequest]":
    """Each answer's scores, and those of the run. Langfuse takes one of the same id and time for a change of it."""
    from langfuse.api import CreateScoreRequest

    of_answers = [
        CreateScoreRequest(
            id=f"{observation}-{metric}",
            trace_id=trace,
            observation_id=observation,
            name=metric,
            value=value,
            timestamp=report.created_at,
        )
        for row in rows
        if row.id in experiment.places
        for trace, observation in [experiment.places[row.id]]
        for metric, value in _named(row).items()
    ]
    of_run = [
        CreateScoreRequest(
            id=f"{experiment.id}-{metric}",
            dataset_run_id=experiment.id,
            name=metric,
            value=value,
            timestamp=report.created_at,
        )
        for metric, value in report.scores.items()
    ]
    return [*of_answers, *of_run]
