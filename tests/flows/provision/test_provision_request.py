"""What a run of `provision` may be asked for, and which plans it applies."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flows.provision_request import ApprovalNeeded, DataLossRefused, ImpossibleRequest, Mode, Request
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.plan_policy.finding import Finding
from tasks.plan_review import PlannedChange, PlanReview
from tasks.plan_review.review import Cost, Loss
from tasks.terraform.plan_document import Action

PLAN = Request("provision", Mode.PLAN, None, False, False, None, "alice", None)
AUTO = replace(PLAN, mode=Mode.APPROVE, auto_approve=True)
APPLY = replace(PLAN, mode=Mode.APPLY, plan="0123456789ab")


def environment(*, protected: bool) -> Environment:
    settings = load_environment(EnvironmentName.DEV)
    identity = settings.environment.model_copy(update={"protected": protected})
    return settings.model_copy(update={"environment": identity})


def review(action: Action, *, losses: tuple[Loss, ...] = (), findings: tuple[Finding, ...] = ()) -> PlanReview:
    return PlanReview(
        environment=EnvironmentName.DEV,
        digest="ab" * 32,
        serial=1,
        lineage="lineage",
        changed=True,
        complete=True,
        made=datetime.now(UTC),
        requested_by="alice",
        terraform_version="1.11.4",
        changes=(PlannedChange(address="aws_vpc.this", module="root", action=action),),
        losses=losses,
        findings=findings,
        unjudged=(),
        cost=Cost(before_usd=0, after_usd=0, budget_usd=1, changes=(), unpriced=(), as_of="2026-01-01", source=()),
    )


@pytest.mark.parametrize("request_", [PLAN, AUTO, APPLY, replace(PLAN, requested_by="")])
def test_possible_where_nobody_relies_on_it(request_: Request) -> None:
    request_.require_possible(environment(protected=False))
    assert request_.auto_approve is (request_ is AUTO)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (AUTO, "auto_approve = true: 'dev' is protected"),
        (replace(PLAN, requested_by=" "), "requested_by is empty"),
        (APPLY, "signed_identity is missing: .*python -m console sign --environment dev"),
    ],
)
def test_protected_environment_wants_a_second_person(request_: Request, reason: str) -> None:
    with pytest.raises(ImpossibleRequest, match=reason):
        request_.require_possible(environment(protected=True))


@pytest.mark.parametrize(
    "request_", [replace(PLAN, plan="0123456789ab"), replace(APPLY, plan=None), replace(APPLY, plan="0123456789a")]
)
def test_digest_and_mode_go_together(request_: Request) -> None:
    with pytest.raises(ImpossibleRequest, match="plan = "):
        request_.require_possible(environment(protected=False))


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_auto_approve_takes_what_removes_nothing(action: Action) -> None:
    assert AUTO.approves(review(action))


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE, Action.FORGET])
def test_auto_approve_leaves_removals_to_a_person(action: Action) -> None:
    with pytest.raises(ApprovalNeeded, match="it removes 1 resources and the policy has 0 findings"):
        AUTO.approves(review(action))


def test_auto_approve_leaves_policy_findings_to_a_person() -> None:
    finding = Finding("tagged", "aws_vpc.this", "has no tags", "tag it")
    with pytest.raises(ApprovalNeeded, match="it removes 0 resources and the policy has 1 findings"):
        AUTO.approves(review(Action.CREATE, findings=(finding,)))


def test_who_cannot_wait_is_told_which_deployment_can() -> None:
    waits = replace(PLAN, mode=Mode.APPROVE)
    for asked in (waits, replace(waits, flow="upgrade")):
        with pytest.raises(ImpossibleRequest, match=f"`prefect deployment run {asked.flow}/dev`"):
            asked.require_possible(environment(protected=False))


def test_loss_of_data_has_to_be_allowed() -> None:
    losing = review(Action.DELETE, losses=(Loss(address="aws_s3_bucket.a", action=Action.DELETE, holds="objects"),))
    with pytest.raises(DataLossRefused, match=r"delete of aws_s3_bucket\.a loses objects"):
        PLAN.require_no_loss(losing)
    replace(PLAN, allow_data_loss=True).require_no_loss(losing)
    with pytest.raises(DataLossRefused, match=r"kubernetes_version back .* provision/dev -p allow_data_loss=true"):
        replace(PLAN, flow="upgrade").require_no_loss(losing)
    PLAN.require_no_loss(review(Action.DELETE))
    assert losing.removals()
