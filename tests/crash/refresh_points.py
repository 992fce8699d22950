"""The commit points of a refresh and of a rollback: every call after which the store holds something new."""

from tests.crash.faults import CommitPoint

_STORE = "agents.knowledge.store.lance:LanceStore"

REFRESH_POINTS = (
    CommitPoint("change-record", "tasks.refresh.building:record_change"),
    CommitPoint("create", f"{_STORE}.create"),
    CommitPoint("copy", f"{_STORE}.copy"),
    CommitPoint("add", f"{_STORE}.add", calls=2),
    CommitPoint("seal", f"{_STORE}.seal"),
    CommitPoint("verdict", "tasks.refresh.gate:note_verdict"),
    CommitPoint("promote", f"{_STORE}.promote"),
    CommitPoint("drop", f"{_STORE}.drop"),
)

ROLLBACK_POINTS = (
    CommitPoint("hold", "tasks.refresh.rollback:write_holds"),
    CommitPoint("rollback", f"{_STORE}.promote"),
)
