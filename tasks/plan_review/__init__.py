"""What a person decides about a plan from: its changes, what they destroy, the policy's findings and the cost."""

from tasks.plan_review.pages import approval_form, digest_to_apply, plan_page, publish_review
from tasks.plan_review.review import PlannedChange, PlanReview, planned_changes, review_of

__all__ = [
    "PlanReview",
    "PlannedChange",
    "approval_form",
    "digest_to_apply",
    "plan_page",
    "planned_changes",
    "publish_review",
    "review_of",
]
