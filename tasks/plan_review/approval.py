"""What a person answers when a plan waits for them, and whether the answer counts."""

from dataclasses import dataclass
from enum import StrEnum

from prefect.input import RunInput
from pydantic import Field

from tasks.aws_session import CallerIdentity
from tasks.environment import Environment
from tasks.plan_review import PlanReview
from tasks.plan_review.signed_identity import InvalidIdentity, verify_identity
from tasks.plan_review.store import PLAN_DIGEST


class PlanRejected(Exception):
    """A person said no; says who and why."""


class ApprovalRefused(Exception):
    """The approval does not count: it is for another plan, or the approver may not give it."""


class Decision(StrEnum):
    """The two answers."""

    APPROVE = "approve"
    REJECT = "reject"


class Approval(RunInput):
    """The form in the Prefect UI. What has no default must be typed: an empty answer does not pass."""

    decision: Decision = Field(description="approve or reject")
    plan: str = Field(description="the plan's digest, at least its first 12 digits")
    approver: str = Field(description="your name", min_length=1)
    reason: str = Field(default="", description="why, above all when you reject")
    signed_identity: str = Field(default="", description="filled in by `make approve`")


@dataclass(frozen=True)
class Approved:
    """Who approved; `identity` is the ARN that STS vouches for, None where nobody does."""

    approver: str
    identity: str | None

    def describe(self) -> str:
        """For the record."""
        return f"{self.approver} ({self.identity or 'unverified'})"


def judge(approval: Approval, review: PlanReview, settings: Environment, worker: CallerIdentity, flow: str) -> Approved:
    """Whether this answer lets the plan be applied; `worker` is who the `flow` itself is to AWS.

    Raises:
        PlanRejected: the answer is no.
        ApprovalRefused: it is for another plan, or a protected environment wants another approver.
    """
    if approval.decision is Decision.REJECT:
        why = approval.reason.strip() or "no reason was given"
        raise PlanRejected(
            f"plan {review.digest[:12]!r} was rejected by {approval.approver!r}: {why}; nothing was applied"
        )
    if not PLAN_DIGEST.fullmatch(approval.plan) or not review.digest.startswith(approval.plan):
        raise ApprovalRefused(
            f"the approval of {approval.approver!r} is for plan {approval.plan!r}, but the plan that waits is "
            f"{review.digest!r}; nothing was applied: look at that plan, and run {flow} again"
        )
    identity = _verified(approval.signed_identity, review, settings)
    if settings.environment.protected:
        require_second_person(identity, approval.approver, review.requested_by, worker)
    return Approved(approval.approver, identity.arn if identity else None)


def judge_signature(signed: str | None, review: PlanReview, settings: Environment, worker: CallerIdentity) -> Approved:
    """Who approved a plan that is applied by its digest, without a form: whoever signed it, or whoever knows it.

    Raises:
        ApprovalRefused: a protected environment wants another approver.
    """
    identity = _verified(signed or "", review, settings)
    approver = identity.arn if identity else "whoever runs mode=apply with its digest"
    if settings.environment.protected:
        require_second_person(identity, approver, review.requested_by, worker)
    return Approved(approver, identity.arn if identity else None)


def require_second_person(
    identity: CallerIdentity | None, approver: str, requested_by: str, worker: CallerIdentity
) -> None:
    """Stop unless somebody else than the requester and the worker vouches for the plan, by their AWS identity.

    Raises:
        ApprovalRefused: says what is missing.
    """
    if identity is None:
        raise ApprovalRefused(
            f"the environment is protected, and the approval of {approver!r} is unverified: approve with `make approve "
            "RUN=...` while you are signed in to AWS; nothing was applied"
        )
    theirs = {
        part.casefold() for part in (approver, identity.arn, identity.arn.rpartition("/")[2], principal(identity))
    }
    if requested_by.casefold() in theirs:
        raise ApprovalRefused(
            f"{identity.arn!r} asked for the change ({requested_by!r}) and cannot approve it too: the environment is "
            "protected, somebody else has to; nothing was applied"
        )
    if principal(identity) == principal(worker):
        raise ApprovalRefused(
            f"{identity.arn!r} is the identity that the flow itself works with, and cannot approve; nothing was applied"
        )


def principal(identity: CallerIdentity) -> str:
    """The user or role behind an identity: sessions of one role are the same principal."""
    kind, _, rest = identity.arn.rpartition(":")[2].partition("/")
    return f"{identity.account_id}:role/{rest.partition('/')[0]}" if kind == "assumed-role" else identity.arn


def _verified(signed: str, review: PlanReview, settings: Environment) -> CallerIdentity | None:
    if not signed:
        return None
    region, account = settings.environment.region, settings.environment.account_id
    assert region is not None  # noqa: S101 - the model guarantees it on AWS
    try:
        identity = verify_identity(signed, review.digest, region)
    except InvalidIdentity as error:
        raise ApprovalRefused(f"{error}; nothing was applied") from error
    if identity.account_id != account:
        raise ApprovalRefused(
            f"{identity.arn!r} is of account {identity.account_id!r}, and must be of {account!r}; nothing was applied"
        )
    return identity
