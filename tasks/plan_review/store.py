"""Reviewed plans in the state bucket, by the SHA-256 of the plan file: what is applied is what was approved."""

import hashlib
import re

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import ValidationError

from tasks.environment import EnvironmentName
from tasks.plan_review import PlanReview, planned_changes
from tasks.terraform.failures import StalePlan
from tasks.terraform.root import TerraformRoot
from tasks.terraform.saved_plan import NO_STATE, SavedPlan, StateVersion, read_saved_plan
from tasks.terraform.state_bucket import PLANS, StateLocation
from tasks.terraform.stored_objects import object_keys, read_object, write_object

PLAN_DIGEST = re.compile(r"[0-9a-f]{12,64}")


class PlanNotFound(Exception):
    """No stored plan has this digest, or several do, or its content is another one's."""


def store_plan(location: StateLocation, saved: SavedPlan, review: PlanReview) -> None:
    """Put the plan file and its review beside each other into the state bucket."""
    write_object(location, _key(location.environment, saved.digest, "tfplan"), saved.path.read_bytes())
    write_object(location, _key(location.environment, saved.digest, "json"), review.model_dump_json().encode())


def find_review(location: StateLocation, digest: str) -> PlanReview:
    """The review of the stored plan whose SHA-256 begins with `digest` (12 to 64 hex digits).

    Raises:
        PlanNotFound: there is none, or more than one.
    """
    environment = location.environment
    found = [key for key in object_keys(location, f"{PLANS}{environment.value}/{digest}") if key.endswith(".json")]
    if len(found) != 1:
        raise PlanNotFound(
            f"{len(found)} stored plans of {environment.value!r} begin with {digest!r}; make one with mode=plan, which "
            "prints its digest (plans are kept for 30 days)"
        )
    content = read_object(location, found[0])
    assert content is not None  # noqa: S101 - it was just listed, and nobody deletes it but its age
    return PlanReview.model_validate_json(content)


def newest_review(location: StateLocation) -> PlanReview | None:
    """The review of the environment's newest plan, applied or not; None where none is kept (30 days).

    Those of a version that kept other fields are passed over.
    """
    contents = [
        read_object(location, key)
        for key in object_keys(location, f"{PLANS}{location.environment.value}/")
        if key.endswith(".json")
    ]
    reviews: list[PlanReview] = []
    for content in filter(None, contents):
        try:
            reviews.append(PlanReview.model_validate_json(content))
        except ValidationError:
            continue
    return max(reviews, key=lambda review: review.made, default=None)


@task(task_run_name="fetch-plan", cache_policy=NO_CACHE, persist_result=False)
def fetch_plan(root: TerraformRoot, review: PlanReview) -> SavedPlan:
    """Bring the approved plan file into the root, if it still is what was approved and the state what it was.

    Raises:
        PlanNotFound: the file is gone, or it or its review is not what was stored.
        StalePlan: the state changed after the plan was made.
    """
    content = read_object(root.backend, _key(review.environment, review.digest, "tfplan"))
    if content is None or hashlib.sha256(content).hexdigest() != review.digest:
        what = "is not in the state bucket any more" if content is None else "was changed after it was stored"
        raise PlanNotFound(f"the plan file {review.digest!r} {what}; nothing was applied, plan again")
    require_current(root.backend, review)
    path = root.directory / "approved.tfplan"
    path.write_bytes(content)
    saved = read_saved_plan(root, path)
    if planned_changes(saved.document) != review.changes:
        raise PlanNotFound(
            f"the review of plan {review.digest!r} is not of this plan file: somebody changed it in the state bucket; "
            "nothing was applied, plan again"
        )
    return saved


def require_current(location: StateLocation, review: PlanReview) -> None:
    """Stop when the state is not the one that the plan was made from.

    Raises:
        StalePlan: says both serials.
    """
    content = read_object(location, location.key)
    now = NO_STATE if content is None else StateVersion.model_validate_json(content)
    if (now.serial, now.lineage) != (review.serial, review.lineage):
        raise StalePlan(
            f"plan {review.digest[:12]!r} was made from state serial {review.serial} (lineage {review.lineage!r}), but "
            f"the state is at serial {now.serial} (lineage {now.lineage!r}) now: it is not applied"
        )


def _key(environment: EnvironmentName, digest: str, suffix: str) -> str:
    return f"{PLANS}{environment.value}/{digest}.{suffix}"
