"""The commit points of a release on a laptop: every call after which other processes run, or the record has changed."""

from tests.crash.faults import CommitPoint

_PLATFORM = "tasks.platforms.local:LocalPlatform"
_SUPERVISOR = "tasks.platforms.processes:Supervisor"

# Until the last of them is passed, people are answered by what served before.
GATE_POINTS = (
    CommitPoint("canary", f"{_PLATFORM}.deploy"),
    CommitPoint("gate", "tasks.agent_service.http_api:ask.fn"),
    # The removals before it are of a web search that is off, and of what a killed run may have left.
    CommitPoint("canary-ended", f"{_PLATFORM}.remove", first=3),
    CommitPoint("change-begun", "tasks.platforms.component_records:ComponentRecords.begin_change", first=2),
)

SWITCH_POINTS = (
    CommitPoint("started", f"{_SUPERVISOR}.start"),
    CommitPoint("former-ended", f"{_SUPERVISOR}.end"),
    CommitPoint("promoted", f"{_PLATFORM}.deploy", first=2),
)

RELEASE_POINTS = (
    *GATE_POINTS,
    *SWITCH_POINTS,
    CommitPoint("answer", "tasks.agent_service.http_api:ask.fn", first=2),
    CommitPoint("release-page", "flows.agents_on_laptop:publish_markdown"),
)
