"""The commit points of a refresh and of a rollback: every call after which the store holds something new."""

from dataclasses import replace

from tests.crash.faults import Case, CommitPoint, Fault, ProcessPoint
from tests.crash.stores import LANCE


def refresh_points(store: str) -> tuple[CommitPoint, ...]:
    """Those of a refresh into `store`, a class."""
    return (
        CommitPoint("turn", "tasks.refresh.steps:take_turn"),
        CommitPoint("change-record", "tasks.refresh.building:record_change"),
        CommitPoint("create", f"{store}.create"),
        CommitPoint("copy", f"{store}.copy"),
        CommitPoint("add", f"{store}.add", calls=2),
        CommitPoint("seal", f"{store}.seal"),
        CommitPoint("verdict", "tasks.refresh.gate:note_verdict"),
        CommitPoint("promote", f"{store}.promote"),
        CommitPoint("drop", f"{store}.drop"),
    )


REFRESH_POINTS = refresh_points(LANCE)

INTERRUPTED = Case(next(point for point in REFRESH_POINTS if point.name == "add"), Fault.KILLED_AFTER, 1)
"""What leaves a generation half built, for the next refresh to go on with."""

RESUMED_POINTS = tuple(replace(point, calls=1) for point in REFRESH_POINTS if point.name not in ("create", "copy"))
"""Those of a refresh that goes on with a generation that was left half built: less is left to add."""

ROLLBACK_POINTS = (
    CommitPoint("rollback-turn", "tasks.refresh.rollback:take_turn"),
    CommitPoint("hold", "tasks.refresh.rollback:write_holds"),
    CommitPoint("rollback", f"{LANCE}.promote"),
)

EMBEDDER = "_EmbedBatch"
"""What Ray writes into the title of an actor that embeds."""

PROCESS_POINTS = (
    ProcessPoint("prefect-server", "prefect server start"),
    ProcessPoint("ray-worker", EMBEDDER),
    ProcessPoint("ray-head", "gcs_server"),
    ProcessPoint("raylet", "raylet/raylet"),
)
