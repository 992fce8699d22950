"""What a run of `provision` or `upgrade` on AWS was asked for, and whether that can be done at all."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from prefect.runtime import deployment, flow_run

from tasks.environment import Environment
from tasks.plan_review import PlanReview
from tasks.plan_review.store import PLAN_DIGEST
from tasks.wrong_input import WrongInput


class ImpossibleRequest(WrongInput):
    """The parameters do not go together; nothing was touched."""


class DataLossRefused(Exception):
    """The plan destroys what holds data, and nobody allowed it."""


class ApprovalNeeded(Exception):
    """A person has to look at the plan, and this run cannot wait for one."""


class Mode(StrEnum):
    """How far a run goes."""

    APPROVE = "approve"
    PLAN = "plan"
    APPLY = "apply"


@dataclass(frozen=True)
class Request:
    """The parameters of the `flow` that say what may be done."""

    flow: Literal["provision", "upgrade"]
    mode: Mode
    plan: str | None
    auto_approve: bool
    allow_data_loss: bool
    break_lock: str | None
    requested_by: str
    signed_identity: str | None

    def require_possible(self, settings: Environment) -> None:
        """Refuse what could not end well, before anything is touched.

        Raises:
            ImpossibleRequest: says which parameter, and what it has to be.
        """
        if (self.mode is Mode.APPLY) != (self.plan is not None):
            raise ImpossibleRequest(
                f"plan = {self.plan!r} with mode = {self.mode.value!r}: mode 'apply' needs the digest of a stored "
                "plan, the others take none"
            )
        if self.plan is not None and not PLAN_DIGEST.fullmatch(self.plan):
            raise ImpossibleRequest(f"plan = {self.plan!r} must be 12 to 64 of the digits 0-9 and a-f")
        if self.mode is Mode.APPROVE and not self.auto_approve and not can_wait():
            raise ImpossibleRequest(
                "mode = 'approve' waits for a person, which only the run of a deployment can: run "
                f"`prefect deployment run {self.flow}/{settings.name.value}`, or use mode 'plan' and then mode 'apply'"
            )
        if settings.environment.protected:
            self._require_second_person(settings.name.value)

    @property
    def stored_plan(self) -> str:
        """The digest of the plan to apply, or its beginning (mode apply)."""
        assert self.plan is not None  # noqa: S101 - require_possible guarantees it for this mode
        return self.plan

    def require_no_loss(self, review: PlanReview) -> None:
        """Refuse a plan that destroys what holds data, unless that was allowed explicitly.

        Raises:
            DataLossRefused: names what would be lost.
        """
        if review.losses and not self.allow_data_loss:
            lost = "; ".join(f"{loss.action.value} of {loss.address} loses {loss.holds}" for loss in review.losses)
            raise DataLossRefused(
                f"plan {review.digest[:12]!r} destroys data: {lost}. Nothing was applied. If a resource was renamed, "
                f"write a `moved` block; if the data may go, {self._how_to_lose(review)}"
            )

    def approves(self, review: PlanReview) -> bool:
        """Whether the plan needs no person: that was asked for, it removes nothing, and the policy finds nothing.

        Raises:
            ApprovalNeeded: it needs one, and this run cannot wait.
        """
        if self.auto_approve and not review.removals() and not review.findings:
            return True
        if can_wait():
            return False
        raise ApprovalNeeded(
            f"plan {review.digest!r} is not applied by auto_approve: it removes {len(review.removals())} resources and "
            f"the policy has {len(review.findings)} findings. Look at it, then apply it with mode=apply and this digest"
        )

    def _how_to_lose(self, review: PlanReview) -> str:
        if self.flow == "provision":
            return "run again with allow_data_loss=true"
        return (
            "set cluster.kubernetes_version back to what the cluster runs, run "
            f"`prefect deployment run provision/{review.environment.value} -p allow_data_loss=true`, which applies the "
            "loss, and then upgrade"
        )

    def _require_second_person(self, name: str) -> None:
        if self.auto_approve:
            raise ImpossibleRequest(f"auto_approve = true: {name!r} is protected, a person has to approve")
        if self.mode is not Mode.APPLY and not self.requested_by.strip():
            raise ImpossibleRequest(
                f"requested_by is empty: {name!r} is protected, and who asks for a change must not be the one who "
                "approves it; say who asks"
            )
        if self.mode is Mode.APPLY and not self.signed_identity:
            raise ImpossibleRequest(
                f"signed_identity is missing: {name!r} is protected, and mode 'apply' needs an approver with an AWS "
                f"identity; `python -m console sign --environment {name} --plan <digest>` prints it"
            )


def can_wait() -> bool:
    """Whether this run can be suspended: a worker has to begin it again, and Prefect suspends no subflows."""
    return deployment.get_id() is not None and flow_run.get_parent_flow_run_id() is None
