"""The stage `knowledge`: bring the knowledge base up to date with its sources."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from prefect import State, flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled

from agents.knowledge.refusal import RefreshRefused
from flows import command_line
from flows.completed import completed_with
from tasks.artifacts import begin_progress
from tasks.embedding.model import embedding_work, ensure_embedding_model, former_embedding, provenance
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import load_outputs
from tasks.git import current_commit
from tasks.knowledge.gate_questions import gate_questions
from tasks.knowledge.on_kuberay import refresh_on_kuberay
from tasks.knowledge.refresh_artifact import publish_not_proved, publish_refresh, publish_refusal, publish_rollback
from tasks.knowledge.refresh_tasks import REFRESH_STEPS, roll_back
from tasks.knowledge.sources import sources_of
from tasks.kubernetes.probe_result import ProbeResult
from tasks.laptop.data_directory import models_directory
from tasks.ray_job.following import JobCancelled
from tasks.refresh.building import RefreshProgress
from tasks.refresh.inputs import rules_with
from tasks.refresh.report import RefreshReport
from tasks.refresh.rollback import Rollback
from tasks.refresh.steps import Refresh
from tasks.released_images import load_images, require_image
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.search_access import ensure_search_access
from tasks.store_settings import knowledge_store
from tasks.wrong_input import refuse_directory_on_aws

SECONDS_BETWEEN_PROGRESS = 5

Result = RefreshReport | Rollback | ProbeResult


# Without a time limit: a first refresh may take days on a laptop, in a cluster its RayJob has one. The next run
# takes over what was built.
@flow(name="knowledge", persist_result=True, on_running=[record_origin])
def knowledge(
    environment: EnvironmentName,
    directory: str | None = None,
    rollback_to: str | None = None,
    confirm_deletions: bool = False,
) -> Result | State[Any]:
    """Refresh the knowledge base: embed what changed, build the next generation beside the serving one, move readers.

    Readers move only to a generation that the gate lets pass.

    Args:
        environment: the environment whose knowledge base is refreshed
        directory: on a laptop, a directory of documents to use instead of the environment's sources
        rollback_to: refresh nothing, and have this kept generation serve
        confirm_deletions: documents that the sources no longer hold are to go, however many they are
    """
    settings = load_environment(environment)
    refuse_directory_on_aws(settings, directory)
    with one_at_a_time(environment, "refresh"):
        try:
            if rollback_to is not None:
                return show(environment, go_to(settings, rollback_to))
            if settings.laptop is not None:
                return show(environment, refresh_here(settings, directory, confirm_deletions=confirm_deletions))
            return show(environment, refresh_in_cluster(settings, confirm_deletions=confirm_deletions))
        except RefreshRefused as refusal:
            publish_refusal(environment, refusal)
            raise
        except JobCancelled as stopped:
            return Cancelled(message=str(stopped))


def go_to(settings: Environment, generation: str) -> Rollback:
    """Have a kept generation serve; nothing is built."""
    if settings.laptop is not None:
        with knowledge_store(settings) as store:
            return roll_back(store, generation)
    outputs = load_outputs(settings.name)
    ensure_search_access(settings, outputs)
    with knowledge_store(settings, outputs) as store:
        return roll_back(store, generation)


def refresh_here(settings: Environment, directory: str | None, *, confirm_deletions: bool) -> RefreshReport:
    """Refresh on a Ray of this machine."""
    sources = sources_of(settings.knowledge, directory)
    files = ensure_embedding_model(settings.models, settings.models.embedding, models_directory(settings))
    work = embedding_work(settings, sources, files)
    made_by = provenance(settings, sources, current_commit(), flow_run.get_id())
    section = settings.knowledge
    rules = rules_with(
        section.fusion,
        section.gate,
        section.deletion_guard,
        section.generations_kept,
        gate_questions(settings),
        former_embedding(settings.models, models_directory(settings)),
        deletions_confirmed=confirm_deletions,
        sources_replaced=directory is not None,
    )
    with knowledge_store(settings) as store:
        return Refresh(store, work, made_by, rules, REFRESH_STEPS).run(_shown(settings.name))


def refresh_in_cluster(settings: Environment, *, confirm_deletions: bool) -> RefreshReport | ProbeResult:
    """Refresh by a RayJob in the environment's cluster, which may write the search domain."""
    outputs = load_outputs(settings.name)
    image = require_image(settings.name, load_images(settings.name), "ray")
    ensure_search_access(settings, outputs)
    return refresh_on_kuberay(settings, outputs, image, _shown(settings.name), confirm_deletions=confirm_deletions)


def show(environment: EnvironmentName, result: Result) -> ProbeResult | State[Any]:
    """Publish what came of the run; returns the state in which it ends, which says it too."""
    log = get_run_logger()
    if isinstance(result, ProbeResult):
        publish_not_proved(environment, result)
        log.warning("not proved: %s", result.seen)
        return result
    if isinstance(result, Rollback):
        publish_rollback(environment, result)
    else:
        publish_refresh(environment, result)
        for uri, reason in result.unreadable.items():
            log.warning("%s was skipped: %s", uri, reason)
    return completed_with(result)


def in_one_line(result: Result | State[Any]) -> str:
    """What came of the refresh, for a table of stages."""
    return result.summary if isinstance(result, RefreshReport | Rollback) else str(result)


def _shown(environment: EnvironmentName) -> Callable[[RefreshProgress], None]:
    """Show progress in the Prefect UI and in the log, a few times a minute."""
    artifact = begin_progress(environment, "knowledge", "progress", "Documents embedded")
    log = get_run_logger()
    shown = monotonic()

    def show(progress: RefreshProgress) -> None:
        nonlocal shown
        if progress.documents < progress.of_documents and monotonic() - shown < SECONDS_BETWEEN_PROGRESS:
            return
        shown = monotonic()
        artifact.update(progress.documents, progress.of_documents)
        log.info(progress.summary)

    return show


if __name__ == "__main__":
    command_line.run(knowledge)
