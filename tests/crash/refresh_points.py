"""The commit points of a refresh: every call after which the store holds something new."""

from tests.crash.faults import CommitPoint

_STORE = "agents.knowledge.store.lance:LanceStore"

REFRESH_POINTS = (
    CommitPoint("create", f"{_STORE}.create"),
    CommitPoint("copy", f"{_STORE}.copy"),
    CommitPoint("add", f"{_STORE}.add", calls=2),
    CommitPoint("seal", f"{_STORE}.seal"),
    CommitPoint("promote", f"{_STORE}.promote"),
    CommitPoint("drop", f"{_STORE}.drop"),
)
