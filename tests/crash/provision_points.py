"""The commit points of a provision on AWS: every call after which an outside system holds something new."""

from tests.crash.faults import CommitPoint

PROVISION_POINTS = (
    CommitPoint("bucket", "tasks.terraform.state_bucket:ensure_state_bucket.fn"),
    CommitPoint("storage", "tasks.runs.result_storage:ensure_result_storage.fn"),
    CommitPoint("plan", "tasks.plan_review.provisioning:store_plan"),
    CommitPoint("approval", "flows.provision:record_approval"),
    CommitPoint("apply", "tasks.terraform.commands:apply_plan.fn"),
    CommitPoint("refresh", "tasks.terraform.commands:refresh_state.fn"),
    CommitPoint("outputs", "tasks.environment_outputs:publish_outputs.fn"),
    CommitPoint("secrets", "tasks.secrets.reconcile:reconcile_secrets.fn"),
)
