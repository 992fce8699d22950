"""The stage `drill`: restore what is kept of each store beside it, compare, and report; nothing that serves moves."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from prefect import flow, get_run_logger

from flows import command_line
from flows.drill_database import drill_database
from tasks.artifacts import publish_table
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.environment_outputs import load_outputs
from tasks.laptop.data_directory import state_copy_file, state_file
from tasks.restore_drill.database_server import database_server, owner_password
from tasks.restore_drill.documents import drill_documents
from tasks.restore_drill.knowledge import drill_knowledge, drop_old_copies
from tasks.restore_drill.laptop_state import drill_laptop_state
from tasks.restore_drill.report import Objective, Restoration, require_restored
from tasks.restore_drill.site import DrilledStore, drilled_store
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.origin import record_origin
from tasks.search_access import ensure_search_access


@flow(name="drill", persist_result=True, on_running=[record_origin], timeout_seconds=21600)
def drill(environment: EnvironmentName) -> str:
    """Prove that a lost store comes back: as it was, within the time, and without more work lost than was promised.

    Args:
        environment: the environment whose stores are restored beside the serving ones
    """
    settings = load_environment(environment)
    # Another one would take away the server that this one counts.
    with one_at_a_time(environment, "drill"):
        summary = drill_laptop(settings) if settings.laptop is not None else drill_cloud(settings)
    get_run_logger().info(summary)
    return summary


def drill_laptop(settings: Environment) -> str:
    """The knowledge store and the state of the agent service: a laptop makes all else again in a moment."""
    state = drill_laptop_state(state_file(settings), state_copy_file(settings), objective_of_copies(settings))
    # A refresh would drop generations that the drill is comparing.
    with one_at_a_time(settings.name, "refresh"), drilled_store(settings) as drilled:
        return report(settings, drilled, [drill_store(settings, drilled), *([state] if state else [])])


def drill_cloud(settings: Environment) -> str:
    """The database from its log, the knowledge store from its snapshot, a document of its bucket from its version."""
    outputs = load_outputs(settings.name)
    ensure_search_access(settings, outputs)
    with drilled_store(settings, outputs):
        get_run_logger().info("the variable file has all that is needed; the database server is restored first")
    # First, and outside of what follows: it takes half an hour, in which refreshes should not have to wait.
    state = drill_state(settings, outputs)
    if state is not None:
        publish_restored(settings, [state])
    # A refresh would drop generations, and list documents, that the drill is comparing.
    with one_at_a_time(settings.name, "refresh"), drilled_store(settings, outputs) as drilled:
        documents = drill_documents(settings, outputs, drilled.store.serving())
        if documents is None:
            get_run_logger().info("no document that is served lies in the knowledge bucket: none was restored")
        others = [each for each in (documents, state) if each is not None]
        return report(settings, drilled, [drill_store(settings, drilled), *others])


def drill_state(settings: Environment, outputs: Mapping[str, Any]) -> Restoration | None:
    """The database server of the agent service, where the variable file asks for it."""
    promised = settings.data.backup.database_drill if settings.data and settings.data.backup else None
    if promised is None:
        get_run_logger().info("data.backup.database_drill is not set: no database was restored")
        return None
    objective = Objective(timedelta(minutes=promised.point_minutes), timedelta(minutes=promised.time_minutes))
    server = database_server(settings, outputs)
    return drill_database(settings, server, owner_password(settings, server.secret_arn), objective)


def drill_store(settings: Environment, drilled: DrilledStore) -> Restoration:
    """The serving generation from its copy."""
    return drill_knowledge(drilled.store, drilled.copies, drilled.questions, objective_of_copies(settings))


def objective_of_copies(settings: Environment) -> Objective:
    """What holds for all of which the drill itself makes the copies."""
    promised = settings.knowledge.recovery
    return Objective(timedelta(hours=promised.point_hours), timedelta(minutes=promised.time_minutes))


def report(settings: Environment, drilled: DrilledStore, restorations: list[Restoration]) -> str:
    """Publish what was restored, keep as many copies as generations, and fail where a promise was broken."""
    publish_restored(settings, restorations)
    try:
        drop_old_copies(drilled.copies, settings.knowledge.generations_kept)
    finally:
        # A copy that cannot be deleted must not hide what was not restored.
        summary = require_restored(restorations)
    return summary


def publish_restored(settings: Environment, restorations: list[Restoration]) -> None:
    """Show in the Prefect UI what was restored so far."""
    publish_table(
        settings.name, "drill", "restored", [each.row for each in restorations], "What was restored, beside what serves"
    )


if __name__ == "__main__":
    command_line.run(drill)
