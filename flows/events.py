"""The stage `events`: documents that changed start a refresh, once they have stopped changing."""

from datetime import UTC, datetime

from prefect import flow, get_run_logger

from flows import command_line
from tasks.aws_session import require_account
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.knowledge.changed_documents import refresh_after_changes
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.missed import cancel_missed_runs
from tasks.runs.origin import record_origin
from tasks.wrong_input import WrongInput


class EventsNotConfigured(WrongInput):
    """The variable file does not say that events start refreshes."""


@flow(name="events", persist_result=True, on_running=[record_origin], timeout_seconds=900)
def events(environment: EnvironmentName) -> str:
    """Ask for a refresh when documents have changed that none has seen, and only while none is under way.

    A message is deleted when a refresh that began after it has completed: one that is lost or fails loses no event.

    Args:
        environment: the environment whose documents are watched
    """
    settings = load_environment(environment)
    rules = settings.knowledge.events
    if rules is None:
        raise EventsNotConfigured(f"knowledge.events of {environment.value!r} is left out: no event starts a refresh")
    require_account(settings)
    cancel_missed_runs(f"events/{environment.value}", datetime.now(UTC))
    with one_at_a_time(environment, "events"):
        summary = refresh_after_changes(settings, rules, datetime.now(UTC))
    get_run_logger().info(summary)
    return summary


if __name__ == "__main__":
    command_line.run(events)
