"""The stage `drill`: restore what is kept of each store beside it, compare, and report; nothing that serves moves."""

from datetime import timedelta

from prefect import flow, get_run_logger

from flows import command_line
from flows.drill_sites import DrilledStore, drilled_store
from tasks.artifacts import publish_table
from tasks.concurrency_limits import one_at_a_time
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import load_outputs
from tasks.restore_drill.documents import drill_documents
from tasks.restore_drill.knowledge import drill_knowledge, drop_old_copies
from tasks.restore_drill.report import Objective, Restoration, require_restored
from tasks.run_origin import record_origin
from tasks.search_access import ensure_search_access


@flow(name="drill", persist_result=True, on_running=[record_origin])
def drill(environment: EnvironmentName) -> str:
    """Prove that a lost store comes back: as it was, within the time, and without more work lost than was promised.

    Args:
        environment: the environment whose stores are restored beside the serving ones
    """
    settings = load_environment(environment)
    # A refresh would drop generations, and list documents, that the drill is comparing.
    with one_at_a_time(environment, "refresh"):
        summary = drill_laptop(settings) if settings.laptop is not None else drill_cloud(settings)
    get_run_logger().info(summary)
    return summary


def drill_laptop(settings: Environment) -> str:
    """The knowledge store is all that a laptop cannot make again in a moment."""
    with drilled_store(settings) as drilled:
        return report(settings, drilled, [drill_store(settings, drilled)])


def drill_cloud(settings: Environment) -> str:
    """The knowledge store from its snapshot, and a document of the knowledge bucket from its version."""
    outputs = load_outputs(settings.name)
    ensure_search_access(settings, outputs)
    with drilled_store(settings, outputs) as drilled:
        documents = drill_documents(settings, outputs, drilled.store.serving())
        if documents is None:
            get_run_logger().info("no document that is served lies in the knowledge bucket: none was restored")
        return report(settings, drilled, [drill_store(settings, drilled), *([documents] if documents else [])])


def drill_store(settings: Environment, drilled: DrilledStore) -> Restoration:
    """The serving generation from its copy."""
    promised = settings.knowledge.recovery
    objective = Objective(timedelta(hours=promised.point_hours), timedelta(minutes=promised.time_minutes))
    return drill_knowledge(drilled.store, drilled.copies, drilled.questions, objective)


def report(settings: Environment, drilled: DrilledStore, restorations: list[Restoration]) -> str:
    """Publish what was restored, keep as many copies as generations, and fail where a promise was broken."""
    publish_table(settings.name, "drill", "restored", [each.row for each in restorations], "What was restored beside")
    try:
        drop_old_copies(drilled.copies, settings.knowledge.generations_kept)
    finally:
        # A copy that cannot be deleted must not hide what was not restored.
        summary = require_restored(restorations)
    return summary


if __name__ == "__main__":
    command_line.run(drill)
