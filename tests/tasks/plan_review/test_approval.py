"""Whose answer to a plan counts; identities are those of an STS on the emulated AWS, which checks no signatures."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import boto3
import pytest

from rehearsal.aws import EmulatedAws
from tasks.aws_session import CallerIdentity, caller_identity
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.plan_review import PlanReview
from tasks.plan_review.approval import Approval, ApprovalRefused, Decision, PlanRejected, judge, judge_signature
from tasks.plan_review.review import Cost
from tasks.plan_review.signed_identity import DIGEST_HEADER, InvalidIdentity, sign_identity, verify_identity

DIGEST = "ab" * 32
ANOTHER = "cd" * 32
WORKER = CallerIdentity("111122223333", "arn:aws:sts::111122223333:assumed-role/prefect-management/run", "AROA:run")
SignIn = Callable[[], str]


@pytest.fixture
def settings(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    return load_environment(EnvironmentName.DEV)


@pytest.fixture
def protected(settings: Environment) -> Environment:
    identity = settings.environment.model_copy(update={"protected": True})
    return settings.model_copy(update={"environment": identity})


@pytest.fixture
def sign_in(settings: Environment, monkeypatch: pytest.MonkeyPatch) -> SignIn:
    """Become a new IAM user; returns its name."""

    def as_new_user() -> str:
        iam, name = boto3.client("iam"), f"bob-{uuid4().hex}"
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        return name

    return as_new_user


def review(requested_by: str = "alice") -> PlanReview:
    return PlanReview(
        environment=EnvironmentName.DEV,
        digest=DIGEST,
        serial=1,
        lineage="lineage",
        changed=True,
        complete=True,
        made=datetime.now(UTC),
        requested_by=requested_by,
        terraform_version="1.11.4",
        changes=(),
        losses=(),
        findings=(),
        unjudged=(),
        cost=Cost(before_usd=0, after_usd=0, budget_usd=1, changes=(), unpriced=(), as_of="2026-01-01", source=()),
    )


def yes(signed: str = "", plan: str = DIGEST, approver: str = "bob") -> Approval:
    return Approval(decision=Decision.APPROVE, plan=plan, approver=approver, signed_identity=signed)


def test_unverified_approval_is_enough_where_nobody_relies_on_it(settings: Environment) -> None:
    assert judge(yes(plan=DIGEST[:12]), review(), settings, WORKER, "upgrade").describe() == "bob (unverified)"


@pytest.mark.parametrize("plan", ["", DIGEST[:11], ANOTHER, ANOTHER[:12], DIGEST.upper()])
def test_approval_of_another_plan_does_not_count(settings: Environment, plan: str) -> None:
    with pytest.raises(ApprovalRefused, match="nothing was applied: look at that plan, and run upgrade again"):
        judge(yes(plan=plan), review(), settings, WORKER, "upgrade")


def test_rejection_says_who_and_why(settings: Environment) -> None:
    answer = Approval(decision=Decision.REJECT, plan="", approver="bob", reason="not on a Friday")
    with pytest.raises(PlanRejected, match="rejected by 'bob': not on a Friday"):
        judge(answer, review(), settings, WORKER, "upgrade")


def test_second_person_with_an_identity_approves_in_a_protected_environment(
    protected: Environment, sign_in: SignIn
) -> None:
    name = sign_in()
    approved = judge(yes(sign_identity(DIGEST, "us-east-1")), review(), protected, WORKER, "upgrade")
    assert approved.identity == f"arn:aws:iam::111122223333:user/{name}"
    stored = judge_signature(sign_identity(DIGEST, "us-east-1"), review(), protected, WORKER)
    assert stored.identity == approved.identity


def test_protected_environment_refuses_the_unverified(protected: Environment) -> None:
    with pytest.raises(ApprovalRefused, match="is unverified: approve with `make approve"):
        judge(yes(), review(), protected, WORKER, "upgrade")
    with pytest.raises(ApprovalRefused, match="is unverified"):
        judge_signature(None, review(), protected, WORKER)


@pytest.mark.parametrize("requested_by", ["{}", "{:.0}BOB", "arn:aws:iam::111122223333:user/{}"])
def test_protected_environment_refuses_the_one_who_asked(
    protected: Environment, sign_in: SignIn, requested_by: str
) -> None:
    requester = requested_by.format(sign_in())
    signed = sign_identity(DIGEST, "us-east-1")
    with pytest.raises(ApprovalRefused, match="cannot approve it too"):
        judge(yes(signed, approver="bob"), review(requester), protected, WORKER, "upgrade")


def test_protected_environment_refuses_the_worker_itself(protected: Environment, sign_in: SignIn) -> None:
    sign_in()
    signed = sign_identity(DIGEST, "us-east-1")
    with pytest.raises(ApprovalRefused, match="is the identity that the flow itself works with"):
        judge(yes(signed), review(), protected, caller_identity(protected), "upgrade")


def test_sessions_of_the_workers_role_are_the_worker(protected: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    role = boto3.client("iam").create_role(RoleName="prefect-management", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    session = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="another")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", session["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", session["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", session["SessionToken"])
    with pytest.raises(ApprovalRefused, match="is the identity that the flow itself works with"):
        judge(yes(sign_identity(DIGEST, "us-east-1")), review(), protected, WORKER, "upgrade")


def test_identity_of_another_account_does_not_count(protected: Environment, sign_in: SignIn) -> None:
    sign_in()
    identity = protected.environment.model_copy(update={"account_id": "444455556666"})
    elsewhere = protected.model_copy(update={"environment": identity})
    with pytest.raises(ApprovalRefused, match="of account '111122223333', and must be of '444455556666'"):
        judge(yes(sign_identity(DIGEST, "us-east-1")), review(), elsewhere, WORKER, "upgrade")


@pytest.mark.parametrize(
    ("part", "other", "reason"),
    [
        ("http://127.0.0.1", "http://sts.example.com", "must be for http://127.0.0.1"),
        ("GetCallerIdentity", "GetSessionToken", "must ask GetCallerIdentity"),
        (DIGEST_HEADER, "x-other", "so it is not tied to a plan"),
        ("X-Amz-Date=20", "X-Amz-Date=19", "is too old"),
        ("X-Amz-Expires=900", "X-Amz-Expires=90000", "is too old"),
        ("X-Amz-Date", "X-Amz-When", "does not say when"),
        ("http", "not a URL", "must be for"),
    ],
)
def test_request_of_another_form_is_not_sent(settings: Environment, part: str, other: str, reason: str) -> None:
    signed = sign_identity(DIGEST, "us-east-1").replace(part, other)
    with pytest.raises(InvalidIdentity, match=reason):
        verify_identity(signed, DIGEST, "us-east-1")
