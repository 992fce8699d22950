"""The commit points of a release to a cluster: after each, other pods run, or Prefect holds something new."""

from tests.crash.faults import CommitPoint, ProcessPoint

_UPGRADE = "tasks.helm.rollout:upgrade"

PROVING_POINTS = (
    CommitPoint("questions", "tasks.agent_service.release_gate:prove_canary.fn"),
    CommitPoint("gate-table", "flows.agents_in_cluster:publish_gate"),
)

# Until the last of them is passed, nobody talks to the wanted version.
CANARY_POINTS = (CommitPoint("canary", _UPGRADE), *PROVING_POINTS)

PROMOTION_POINTS = (
    CommitPoint("promotion", _UPGRADE, first=2),
    CommitPoint("record", "tasks.agent_service.cluster_release:AgentsRelease.save"),
    CommitPoint("image", "tasks.agent_service.cluster_release:publish_images"),
    CommitPoint("version-page", "flows.agents_in_cluster:publish_markdown"),
)

# Where the gate has failed.
REFUSAL_POINTS = (CommitPoint("canary-away", _UPGRADE, first=2),)

# While Helm waits for the canary.
CANARY_PROCESSES = (ProcessPoint("helm", "upgrade agents "), ProcessPoint("flow", "tests.crash.child"))
