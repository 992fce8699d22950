"""The commit points of a rollout: every call after which the cluster, or Prefect, holds something new."""

from tests.crash.faults import CommitPoint

ADDONS_POINTS = (
    CommitPoint("definitions", "tasks.helm.upgrade:apply_definitions"),
    CommitPoint("upgrade", "tasks.helm.rollout:upgrade", calls=2),
    CommitPoint("removal", "tasks.helm.rollout:remove"),
    CommitPoint("table", "tasks.rollout:publish_table"),
)
