"""The stage `lifecycle`: all stages of one environment, from nothing to a cited answer."""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from prefect import flow, get_run_logger

from flows import command_line
from flows.addons import addons
from flows.agents import agents
from flows.evaluation import evaluation
from flows.knowledge import knowledge
from flows.local_only import require_local
from flows.models import models
from flows.provision import provision
from tasks.artifacts import Progress, begin_progress, publish_table
from tasks.concurrency_limits import one_at_a_time
from tasks.data_directory import lifecycle_summary_file
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.lifecycle_summary import LifecycleSummary, StageResult, write_summary

STAGES = ("provision", "addons", "models", "knowledge", "evaluation", "agents")
Result = TypeVar("Result")


@flow(name="lifecycle", persist_result=True)
def lifecycle(environment: EnvironmentName, directory: str | None = None) -> LifecycleSummary:
    """Take one environment through its stages: provision, addons, models, knowledge, evaluation, agents.

    Args:
        environment: the environment to bring up
        directory: a directory of documents to use instead of the environment's sources
    """
    require_local("lifecycle", environment)
    settings = load_environment(environment)
    with one_at_a_time(environment, "lifecycle"):
        record = StageRecord(begin_progress(environment, "lifecycle", "progress", "Stages done"))
        record.run("provision", lambda: provision(environment), str)
        record.run("addons", lambda: addons(environment), str)
        record.run("models", lambda: models(environment), str)
        record.run("knowledge", lambda: knowledge(environment, directory), lambda report: report.summary)
        record.run(
            "evaluation",
            lambda: evaluation(environment, answers=settings.evaluation.answers_in_lifecycle, reuse=True),
            lambda report: report.summary,
        )
        probe = record.run("agents", lambda: agents(environment), lambda probe: f"answered {probe.question!r}")
        summary = LifecycleSummary(tuple(record.done), probe)
        write_summary(summary, lifecycle_summary_file(settings))
    publish_table(environment, "lifecycle", "stages", summary.rows(), "Stages of the lifecycle")
    return summary


class StageRecord:
    """Runs stages one after another, and keeps how long each took and what it did."""

    def __init__(self, progress: Progress) -> None:
        self.done: list[StageResult] = []
        self._progress = progress

    def run(self, name: str, stage: Callable[[], Result], summarise: Callable[[Result], str]) -> Result:
        """Run one stage; what it raises ends the lifecycle."""
        started = monotonic()
        result = stage()
        self.done.append(StageResult(name, monotonic() - started, summarise(result)))
        self._progress.update(len(self.done), len(STAGES))
        get_run_logger().info("%s: %.1f s, %s", name, self.done[-1].seconds, self.done[-1].summary)
        return result


if __name__ == "__main__":
    command_line.run(lifecycle)
