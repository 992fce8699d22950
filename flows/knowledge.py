"""The stage `knowledge`: bring the knowledge base up to date with its sources."""

from collections.abc import Callable
from time import monotonic

from prefect import flow, get_run_logger
from prefect.runtime import flow_run

from agents.knowledge.store import KnowledgeStore
from flows import command_line
from flows.local_only import require_local
from tasks.artifacts import begin_progress
from tasks.concurrency_limits import one_at_a_time
from tasks.data_directory import models_directory
from tasks.embedding_model import embedding_work, ensure_embedding_model, provenance
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.git import current_commit
from tasks.knowledge_base import RefreshProgress, build, drop_old_generations, plan, promote
from tasks.knowledge_sources import scan_sources, sources_of
from tasks.refresh_report import RefreshReport, publish_refresh, report_of_already_built, report_of_build
from tasks.store_settings import knowledge_store

SECONDS_BETWEEN_PROGRESS = 5


@flow(name="knowledge", persist_result=True)
def knowledge(environment: EnvironmentName, directory: str | None = None) -> RefreshReport:
    """Refresh the knowledge base: embed what changed, build the next generation beside the serving one, move readers.

    Args:
        environment: the environment whose knowledge base is refreshed
        directory: a directory of documents to use instead of the environment's sources
    """
    require_local("knowledge", environment)
    settings = load_environment(environment)
    with one_at_a_time(environment, "refresh"), knowledge_store(settings) as store:
        report = refresh(settings, store, directory)
    publish_refresh(environment, report)
    get_run_logger().info(report.summary)
    for uri, reason in report.unreadable.items():
        get_run_logger().warning("%s was skipped: %s", uri, reason)
    return report


def refresh(settings: Environment, store: KnowledgeStore, directory: str | None) -> RefreshReport:
    """Scan, plan, build, promote, and drop what is no longer needed."""
    started = monotonic()
    sources = sources_of(settings.knowledge, directory)
    files = ensure_embedding_model(settings.models, models_directory(settings))
    work = embedding_work(settings, sources, files)
    made_by = provenance(settings, sources, current_commit(), flow_run.get_id())
    refresh_plan = plan(store, scan_sources(sources, work.max_document_bytes), made_by)
    if refresh_plan.already_built is not None:
        generation = refresh_plan.already_built.generation
        # A run that was killed after it sealed or promoted a generation has left the rest to this one.
        moved = promote(store, generation)
        drop_old_generations(store, generation, settings.knowledge.generations_kept)
        return report_of_already_built(refresh_plan.already_built, moved, monotonic() - started)
    built = build(store, refresh_plan, work, made_by, _shown(settings.name))
    promote(store, built.manifest.generation)
    drop_old_generations(store, built.manifest.generation, settings.knowledge.generations_kept)
    return report_of_build(refresh_plan, built, monotonic() - started)


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
        log.info("%d of %d documents, %d chunks embedded", progress.documents, progress.of_documents, progress.embedded)

    return show


if __name__ == "__main__":
    command_line.run(knowledge)
