"""The scores of an evaluation in Langfuse: an experiment a run, of the golden questions that were answered in full."""

from collections.abc import Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.environment.addons import LANGFUSE_KEY
from tasks.evaluation_report import QuestionRow, Report
from tasks.golden import GoldenQuestion
from tasks.langfuse import langfuse_project
from tasks.langfuse_api import LangfuseUnavailable, langfuse_api
from tasks.langfuse_dataset import golden_dataset
from tasks.run_log import run_log
from tasks.secret_value import stored_secret

NAME = "golden questions"
SECONDS = 10


@task(task_run_name="publish-scores", cache_policy=NO_CACHE, persist_result=False)
def publish_scores(settings: Environment, report: Report, questions: Sequence[GoldenQuestion]) -> None:
    """Write the report's answers and scores as an experiment over the golden set, where one on AWS has a Langfuse.

    What could not be written is in the log: a Langfuse that is away fails no evaluation.
    Source: https://langfuse.com/docs/evaluation/experiments/experiments-via-sdk

    Raises:
        MissingCredentials, ClientError: the project's secret key cannot be read.
    """
    project = langfuse_project(settings)
    key = None if project is None or project.secret_name is None else stored_secret(settings, LANGFUSE_KEY)
    if project is None or key is None:
        return
    # It takes a second to import, which every start of a flow would pay.
    from langfuse import Langfuse
    from langfuse.experiment import Evaluation
    from opentelemetry.sdk.trace import TracerProvider

    try:
        with langfuse_api(project, key) as api:
            items = golden_dataset(api, project.host, settings.name.value, questions)
    except LangfuseUnavailable as error:
        run_log().warning("neither the golden set nor the scores of this run are in Langfuse: %s", error)
        return
    rows = {row.id: row for row in report.rows if row.answer is not None}

    def said(*, item: Any, **_: Any) -> str:
        answer = rows[item.metadata["id"]].answer
        return "" if answer is None else answer.text

    def scores_of_item(*, metadata: dict[str, Any] | None, **_: Any) -> list[Evaluation]:
        row = rows[(metadata or {})["id"]]
        return [Evaluation(name=name, value=value) for name, value in item_scores(row).items()]

    def scores_of_run(**_: Any) -> list[Evaluation]:
        return [Evaluation(name=name, value=value) for name, value in report.scores.items()]

    # A provider of its own: what else is traced in this process does not go to this project. The client is not shut
    # down: the process has one for a project, which a second run would find dead, and it has sent all by then.
    langfuse = Langfuse(
        public_key=project.public_key,
        secret_key=key.get_secret_value(),
        base_url=project.host,
        timeout=SECONDS,
        tracer_provider=TracerProvider(),
    )
    done = langfuse.run_experiment(
        name=f"{settings.name.value} {NAME}",
        run_name=f"{report.created_at:%Y-%m-%d %H:%M:%S} {report.generation}",
        # An item of the dataset, and not only its text, makes the experiment one of the dataset's.
        data=[items[row] for row in rows],
        task=said,
        evaluators=[scores_of_item],
        run_evaluators=[scores_of_run],
    )
    run_log().info("scores of %s answers are the experiment %r of Langfuse", len(done.item_results), done.run_name)


def item_scores(row: QuestionRow) -> dict[str, float]:
    """The scores of one answered question by the names of the report's metrics, as far as they are defined."""
    answer = row.answer
    known = {
        "relevancy": row.relevancy,
        "context_precision": row.context_precision,
        "context_recall": row.context_recall,
        "answer_similarity": answer.similarity if answer else None,
        "rouge_l": answer.rouge_l if answer else None,
        "groundedness": answer.groundedness if answer else None,
        **row.judged,
    }
    return {name: value for name, value in known.items() if value is not None}
