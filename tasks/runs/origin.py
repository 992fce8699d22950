"""Where a flow run comes from, as tags of the run: its environment, the commit that runs, and who asked for it."""

import getpass
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prefect import Flow, State
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

from tasks.git import current_commit

_STARTED_BY = "started-by:"
# Our images tell it there: tasks/images/bill_of_materials.py.
BILL_OF_MATERIALS = Path("/opt/bill-of-materials.json")


def started_by_tag(who: str) -> str:
    """The tag of a run that somebody asked for by name."""
    return f"{_STARTED_BY}{who}"


def process_user() -> str:
    """Who runs this process: the name, or the number where the system has no name for it, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid:{os.getuid()}"


def started_by_tags(tags: Iterable[str]) -> list[str]:
    """Those of a run's `tags` that say who asked for it: they are given on to the runs that it asks for."""
    return [tag for tag in tags if tag.startswith(_STARTED_BY)]


def record_origin(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook of every flow, when its run begins: tag it with where it comes from.

    Who asked is known of runs that were asked for by name, by a schedule or by an automation, and of those of no
    deployment. The Prefect server does not tell who pressed Run in its UI; such a run has no tag of that kind.
    """
    tags = {*flow_run.tags, *_origin(flow_run)}
    if tags != set(flow_run.tags):
        with get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, tags=sorted(tags))


def running_commit(bill: Path = BILL_OF_MATERIALS) -> str | None:
    """The full hash of the commit that this process runs, as checkout or image tell; None where neither does."""
    if (commit := current_commit()) is not None or not bill.is_file():
        return commit
    return str(json.loads(bill.read_text(encoding="utf-8"))["metadata"]["component"]["version"])


def _origin(run: FlowRun) -> Iterator[str]:
    if (environment := run.parameters.get("environment")) is not None:
        yield f"environment:{environment}"
    if (commit := running_commit()) is not None:
        yield f"commit:{commit}"
    if started_by_tags(run.tags):
        return
    if requested_by := run.parameters.get("requested_by"):
        yield started_by_tag(requested_by)
    elif run.created_by is not None and run.created_by.type is not None:
        yield started_by_tag(run.created_by.type.lower())
    elif run.deployment_id is None and run.parent_task_run_id is None:
        yield started_by_tag(process_user())
