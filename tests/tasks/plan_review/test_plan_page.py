"""What a person reads of a plan in the Prefect UI."""

from datetime import UTC, datetime

from tasks.environment import EnvironmentName
from tasks.plan_review import PlannedChange, PlanReview, approval_form, digest_to_apply, plan_page
from tasks.plan_review.pages import in_one_line
from tasks.plan_review.review import Cost
from tasks.terraform.plan_document import Action

POLICY = 'module.data[0].aws_s3_bucket_policy.this["results"]'


def review() -> PlanReview:
    return PlanReview(
        environment=EnvironmentName.DEV,
        digest="ab" * 32,
        serial=3,
        lineage="lineage",
        changed=True,
        complete=True,
        made=datetime.now(UTC),
        requested_by="alice",
        terraform_version="1.11.4",
        changes=(PlannedChange(address=POLICY, module="module.data[0]", action=Action.CREATE),),
        losses=(),
        findings=(),
        unjudged=(POLICY,),
        cost=Cost(
            before_usd=100,
            after_usd=1334.5,
            budget_usd=1000,
            changes=(),
            unpriced=(),
            as_of="2026-01-01",
            source=("https://aws.amazon.com/ec2/pricing/on-demand/",),
        ),
    )


def test_the_list_of_artifacts_says_what_a_plan_does_and_costs() -> None:
    assert in_one_line(review()) == "1 to add; 0 findings; +1,234 USD a month"
    nothing = review().model_copy(update={"changes": ()})
    assert in_one_line(nothing).startswith("nothing to change; ")


def test_what_decides_stands_before_the_long_lists() -> None:
    page = plan_page(review())
    decides = ["## By module", "## Policy", "Not judged: 1", "## Cost", "more than the budget"]
    places = [page.index(each) for each in (*decides, "## Policies that could not be judged", POLICY, "Prices:")]
    assert places == sorted(places)


def test_the_form_has_what_decides_and_no_long_list() -> None:
    form = approval_form(review(), "a-run")
    assert "Not judged: 1" in form
    assert "more than the budget" in form
    assert POLICY not in form


def test_the_page_says_which_plan_is_to_be_applied_if_any() -> None:
    assert digest_to_apply(plan_page(review())) == "ab" * 32
    assert digest_to_apply(plan_page(review().model_copy(update={"changed": False}))) is None
    assert digest_to_apply("# dev: a page without a digest") is None
