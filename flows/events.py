"""The stage `events`: documents that changed start a refresh, once they have stopped changing."""

from datetime import UTC, datetime

from prefect import flow, get_run_logger
from prefect.client.orchestration import get_client

from flows import command_line
from flows.wrong_input import WrongInput
from tasks.aws_session import require_account
from tasks.environment import Environment, EnvironmentName
from tasks.environment.knowledge import Events
from tasks.environment.variable_file import load_environment
from tasks.knowledge.document_events import Change, DocumentEvents
from tasks.knowledge.due_refresh import Refreshes, reason_to_wait, refreshes_until
from tasks.runs.concurrency_limits import one_at_a_time
from tasks.runs.missed import cancel_missed_runs
from tasks.runs.origin import record_origin
from tasks.runs.requested import request_run

# A batch is dealt with well within the time for which it is held; what is left is for the next look.
BATCH, BATCHES = 5000, 20


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


def refresh_after_changes(settings: Environment, rules: Events, now: datetime, batch: int = BATCH) -> str:
    """Look once at the queue and at the refreshes of the environment; returns what was done, in one line."""
    deployment = f"knowledge/{settings.name.value}"
    queue = DocumentEvents(settings)
    with get_client(sync_client=True) as client:
        before = refreshes_until(client, deployment, now)
        seen, unseen = delete_seen(queue, before, batch)
        try:
            if not unseen:
                return f"nothing changed that no refresh has seen; {seen} changes were seen since"
            wait = reason_to_wait([change.at for change in unseen], before, rules, now)
            if wait is not None:
                return f"{len(unseen)} changes wait: {wait}"
            run = request_run(client, deployment, {}, f"events-after-{before.last or 'none'}", "events")
            return f"{len(unseen)} changes: asked for {deployment}, run {run.name}"
        finally:
            queue.give_back(unseen)


def delete_seen(queue: DocumentEvents, before: Refreshes, batch: int) -> tuple[int, list[Change]]:
    """Delete the messages that a refresh has seen; returns how many, and the held ones that none has seen.

    A bulk load is more than one batch: the next is looked at while each is full and was seen as a whole.
    """
    seen = 0
    for _ in range(BATCHES):
        held = queue.hold(batch)
        unseen = [change for change in held if not before.have_seen(change.at)]
        queue.delete([change for change in held if before.have_seen(change.at)])
        seen += len(held) - len(unseen)
        if unseen or len(held) < batch:
            return seen, unseen
    return seen, []


if __name__ == "__main__":
    command_line.run(events)
