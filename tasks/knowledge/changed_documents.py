"""Documents that changed, looked at once: what a refresh has seen is forgotten, and the rest may start one."""

from datetime import datetime

from prefect.client.orchestration import get_client

from tasks.environment import Environment
from tasks.environment.knowledge import Events
from tasks.knowledge.document_events import Change, DocumentEvents
from tasks.knowledge.due_refresh import Refreshes, reason_to_wait, refreshes_until
from tasks.runs.requested import request_run

# A batch is dealt with well within the time for which it is held; what is left is for the next look.
BATCH, BATCHES = 5000, 20


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
