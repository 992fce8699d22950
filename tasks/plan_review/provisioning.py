"""The steps of `provision` that happen once in a flow run: what they return outlives a suspension and a lost worker."""

from prefect import task

from tasks.artifacts import begin_progress, publish_markdown
from tasks.aws_session import caller_identity
from tasks.environment import Environment
from tasks.plan_review import PlanReview, review_of
from tasks.plan_review.approval import Approval, Approved, judge, judge_signature
from tasks.plan_review.store import fetch_plan, store_plan
from tasks.runs.log import run_log
from tasks.runs.result_storage import once_per_run
from tasks.terraform.commands import PlanKind, apply_plan, make_plan
from tasks.terraform.root import TerraformRoot

STAGE = "provision"


@task(task_run_name="plan-{attempt}", cache_key_fn=once_per_run, persist_result=True, result_serializer="json")
def plan_for_review(root: TerraformRoot, settings: Environment, requested_by: str, attempt: int) -> PlanReview:
    """Plan, and keep the plan file with its review in the state bucket.

    Raises:
        StateLocked, MissingCredentials, TerraformFailed: as for `make_plan`.
    """
    saved = make_plan(root, PlanKind.NORMAL)
    review = review_of(saved, settings, requested_by)
    store_plan(root.backend, saved, review)
    run_log().info("plan %s (attempt %d): %s", review.digest, attempt, review.summary())
    return review


@task(task_run_name="judge-approval", cache_key_fn=once_per_run, persist_result=True, result_serializer="json")
def judge_approval(approval: Approval, review: PlanReview, settings: Environment, flow: str) -> Approved:
    """Whether the answer lets the plan of `flow` be applied; the one who approved is recorded.

    Raises:
        PlanRejected, ApprovalRefused: as for `judge`.
    """
    approved = judge(approval, review, settings, caller_identity(settings), flow)
    record_approval(review, approved.describe())
    return approved


@task(task_run_name="judge-stored-plan", cache_key_fn=once_per_run, persist_result=True, result_serializer="json")
def judge_stored(signed_identity: str | None, review: PlanReview, settings: Environment) -> Approved:
    """Whether a stored plan may be applied by its digest; the one who approved is recorded.

    Raises:
        ApprovalRefused: as for `judge_signature`.
    """
    approved = judge_signature(signed_identity, review, settings, caller_identity(settings))
    record_approval(review, approved.describe())
    return approved


def record_approval(review: PlanReview, who: str) -> None:
    """Keep who let the plan be applied."""
    page = f"Plan `{review.digest}` ({review.summary()}) was approved by {who}. Requested by: "
    publish_markdown(
        review.environment, STAGE, "approval", f"{page}{review.requested_by or 'not stated'}.", "Who approved"
    )
    run_log().info("plan %s was approved by %s", review.digest[:12], who)


@task(task_run_name="apply-approved", cache_key_fn=once_per_run, persist_result=True, result_serializer="json")
def apply_approved(root: TerraformRoot, review: PlanReview) -> str:
    """Apply exactly the plan file that was reviewed; returns what was done, in one line.

    Raises:
        StalePlan: the state changed after the plan was made; nothing was changed.
        PlanNotFound: the plan file is not there, or was changed.
        StateLocked, MissingCredentials, TerraformFailed: as for `apply_plan`.
    """
    saved = fetch_plan(root, review)
    progress = begin_progress(review.environment, STAGE, "progress", "Changes made")
    apply_plan(root, saved, progress.update)
    return f"applied plan {review.digest[:12]}: {review.summary()}"
