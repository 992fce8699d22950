"""The stage `lifecycle`: all stages of one environment, from nothing to a cited answer."""

from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import TypeVar

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from flows import command_line
from flows.addons import addons
from flows.agents import agents
from flows.evaluation import Evaluated, evaluation
from flows.knowledge import in_one_line, knowledge
from flows.models import models
from flows.provision import provision
from tasks.agent_service.cluster_release import was_released
from tasks.agent_service.laptop_service import agents_serve
from tasks.artifacts import Progress, begin_progress, publish_table
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.laptop.data_directory import lifecycle_summary_file
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.lifecycle_summary import LifecycleSummary, StageResult, stage_rows, write_summary
from tasks.runs.origin import record_origin
from tasks.runs.stages import run_stage
from tasks.wrong_input import refuse_directory_on_aws

STAGES = ("provision", "addons", "models", "knowledge", "evaluation", "agents")
CHANGING_MODEL = ("provision", "addons", "models", "agents", "knowledge", "evaluation")
"""A service that people ask learns of the next embedding model before readers move to a generation of it."""
Result = TypeVar("Result")


@flow(name="lifecycle", persist_result=True, on_running=[record_origin])
def lifecycle(
    environment: EnvironmentName, directory: str | None = None, attempt: str | None = None, requested_by: str = ""
) -> LifecycleSummary | tuple[StageResult, ...]:
    """Take one environment through its stages: provision, addons, models, knowledge, evaluation, agents.

    Args:
        environment: the environment to bring up
        directory: on a laptop, a directory of documents to use instead of the environment's sources
        attempt: on AWS, the id of an earlier run to go on with: what that completed is not run again
        requested_by: on AWS, who asks for it; provisioning a protected environment needs it
    """
    settings = load_environment(environment)
    refuse_directory_on_aws(settings, directory)
    if settings.laptop is None:
        return bring_up_cloud(settings, attempt or str(flow_run.get_id()), requested_by)
    return bring_up_laptop(settings, directory)


def bring_up_cloud(settings: Environment, attempt: str, requested_by: str) -> tuple[StageResult, ...]:
    """Each stage as a run of its own deployment, which may wait for an approval and outlives this run."""
    environment = settings.name
    answers: dict[str, object] = {"answers": settings.evaluation.answers_in_lifecycle, "reuse": True}
    parameters: Mapping[str, Mapping[str, object]] = {
        "provision": {"requested_by": requested_by},
        "evaluation": answers,
    }
    with one_at_a_time(environment, "lifecycle"):
        stages = CHANGING_MODEL if changes_model(settings) and was_released(settings) else STAGES
        record = StageRecord(begin_progress(environment, "lifecycle", "progress", "Stages done"), len(stages))
        for stage in stages:
            asked = {"environment": environment.value, **parameters.get(stage, {})}
            record.run(stage, partial(run_stage, environment, stage, asked, attempt), str)
    publish_table(environment, "lifecycle", "stages", stage_rows(record.done), f"Stages of attempt {attempt}")
    return tuple(record.done)


def bring_up_laptop(settings: Environment, directory: str | None) -> LifecycleSummary:
    """All stages in this process: a run of its own takes longer to start than most of them to work."""
    environment = settings.name
    with one_at_a_time(environment, "lifecycle"):
        learns = changes_model(settings) and agents_serve(settings)
        record = StageRecord(begin_progress(environment, "lifecycle", "progress", "Stages done"), len(STAGES) + learns)
        record.run("provision", lambda: provision(environment), str)
        record.run("addons", lambda: addons(environment), str)
        record.run("models", lambda: models(environment), str)
        if learns:
            # As in CHANGING_MODEL; below it is asked the question that the summary shows.
            record.run("agents", lambda: agents(environment), lambda released: released.summary)
        record.run("knowledge", lambda: knowledge(environment, directory), in_one_line)
        record.run(
            "evaluation",
            lambda: evaluation(environment, answers=settings.evaluation.answers_in_lifecycle, reuse=True),
            lambda outcome: outcome.summary if isinstance(outcome, Evaluated) else str(outcome),
        )
        released = record.run("agents", lambda: agents(environment), lambda released: released.summary)
        assert released.probe is not None  # noqa: S101 - on a laptop a question is asked
        summary = LifecycleSummary(tuple(record.done), released.probe)
        write_summary(summary, lifecycle_summary_file(settings))
    publish_table(environment, "lifecycle", "stages", summary.rows(), "Stages of the lifecycle")
    return summary


def changes_model(settings: Environment) -> bool:
    """Whether the knowledge base may still be of another embedding model than the present one."""
    return settings.models.former_embedding is not None


class StageRecord:
    """Runs stages one after another, and keeps how long each took and what it did."""

    def __init__(self, progress: Progress, stages: int) -> None:
        self.done: list[StageResult] = []
        self._progress = progress
        self._stages = stages

    def run(self, name: str, stage: Callable[[], Result], summarise: Callable[[Result], str]) -> Result:
        """Run one stage; what it raises ends the lifecycle."""
        started = monotonic()
        result = stage()
        self.done.append(StageResult(name, monotonic() - started, summarise(result)))
        self._progress.update(len(self.done), self._stages)
        get_run_logger().info("%s: %.1f s, %s", name, self.done[-1].seconds, self.done[-1].summary)
        return result


if __name__ == "__main__":
    command_line.run(lifecycle)
