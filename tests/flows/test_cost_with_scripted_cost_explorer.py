"""The flow `cost` against an emulated AWS account whose Cost Explorer is scripted: no emulator has a bill."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from prefect.client.orchestration import SyncPrefectClient

from flows.cost import cost
from rehearsal.aws import EmulatedAws, running_emulated_aws
from tasks.cost.bill import Bill, CostUnknown, read_bill
from tasks.cost.report import OverBudget, report_of
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.plan_review import PlanReview
from tasks.plan_review.review import Cost
from tasks.terraform.state_bucket import StateLocation, ensure_state_bucket
from tasks.terraform.stored_objects import write_object
from tests.artifacts import newest_artifact
from tests.scripted_aws import Parameters, ScriptedAws, scripted_aws

pytestmark = pytest.mark.prefect_server

DEV = EnvironmentName.DEV
BUDGET = load_environment(DEV).environment.budget.monthly_usd


NODE_HOURS_A_DAY = {"USW2-BoxUsage:m7i.large": 36.0, "SpotUsage:m7i.large": 12.0, "EBS:VolumeUsage.gp3": 9.0}


def billed(usd_a_day: Mapping[str, float], pages: int = 1) -> Any:
    """An answer for every day that is asked for, on so many pages: dollars by service, or quantities by usage type."""

    def answer(asked: Parameters) -> Mapping[str, Any]:
        start, end = (date.fromisoformat(asked["TimePeriod"][edge]) for edge in ("Start", "End"))
        days = [(start + timedelta(days=number)).isoformat() for number in range((end - start).days)]
        page = int(asked.get("NextPageToken", 0))
        (metric,) = asked["Metrics"]
        groups = [
            {"Keys": [name], "Metrics": {metric: {"Amount": str(amount), "Unit": "N/A"}}}
            for name, amount in (usd_a_day if metric == "UnblendedCost" else NODE_HOURS_A_DAY).items()
        ]
        results = [{"TimePeriod": {"Start": day, "End": day}, "Groups": groups} for day in days[page::pages]]
        more = {"NextPageToken": str(page + 1)} if page + 1 < pages else {}
        return {"ResultsByTime": results, **more}

    return answer


@pytest.fixture(scope="module")
def aws_account() -> Iterator[EmulatedAws]:
    """An account that no other module uses: without a cluster, and without a bucket of its name that is another's."""
    with running_emulated_aws("111122223333", "us-east-1") as aws:
        yield aws


@pytest.fixture
def explorer(aws_account: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    with scripted_aws() as aws:
        for name, value in {**aws_account.environment, **aws.environment("cost-explorer")}.items():
            monkeypatch.setenv(name, value)
        aws.script("ce", "GetCostForecast", {"Total": {"Amount": "10.5", "Unit": "USD"}})
        yield aws


@pytest.fixture
def state_bucket(explorer: ScriptedAws) -> Iterator[StateLocation]:
    location = ensure_state_bucket.fn(load_environment(DEV))
    yield location
    bucket = boto3.resource("s3").Bucket(location.bucket)
    bucket.object_versions.delete()
    bucket.delete()


def reviewed(digest: str, made: datetime, after_usd: float) -> PlanReview:
    cost = Cost(before_usd=0, after_usd=after_usd, budget_usd=1, changes=(), unpriced=(), as_of="2026-01-01", source=())
    return PlanReview(
        environment=DEV,
        digest=digest,
        serial=1,
        lineage="lineage",
        changed=True,
        complete=True,
        made=made,
        requested_by="alice",
        terraform_version="1.11.4",
        changes=(),
        losses=(),
        findings=(),
        unjudged=(),
        cost=cost,
    )


def test_the_bill_is_summed_and_held_against_the_budget(
    explorer: ScriptedAws, prefect_client: SyncPrefectClient, caplog: pytest.LogCaptureFixture
) -> None:
    explorer.script("ce", "GetCostAndUsage", billed({"Amazon EC2": 2.0, "Amazon Bedrock": 5.0}, pages=2))

    summary = cost(DEV)

    assert summary.startswith("dev cost 210 USD in 30 days")
    assert f"of {BUDGET:,.0f} a month" in summary
    table = newest_artifact(prefect_client, "dev-cost-bill")
    assert '"usd": 150.0' in table
    assert "no plan of the last 30 days" in table
    assert "there is no cluster, and so no gateway" in caplog.text
    assert table.index("Amazon Bedrock") < table.index("Amazon EC2"), "the most expensive service stands first"
    first, second, *_ = explorer.calls_of("GetCostAndUsage")
    assert second["NextPageToken"] == "1"
    nodes = newest_artifact(prefect_client, "dev-cost-nodes")
    assert '{"type": "m7i.large", "hours": 1440.0, "nodes": 2.0}' in nodes
    assert "EBS" not in nodes
    assert first["Filter"] == {
        "And": [
            {"Tags": {"Key": "Project", "Values": ["agentic-eks"]}},
            {"Tags": {"Key": "Environment", "Values": ["dev"]}},
        ]
    }
    (forecast,) = explorer.calls_of("GetCostForecast")
    assert forecast["Filter"] == first["Filter"]
    assert forecast["Granularity"] == "DAILY", "a forecast by the month may be that of the whole month"
    assert forecast["TimePeriod"]["Start"] == first["TimePeriod"]["End"]
    assert forecast["TimePeriod"]["End"].endswith("-01")


def test_a_month_that_goes_over_its_budget_fails_the_run_with_its_table(
    explorer: ScriptedAws, prefect_client: SyncPrefectClient
) -> None:
    explorer.script("ce", "GetCostAndUsage", billed({"Amazon EC2": 1.0}))
    # On the first day of a month nothing of it is billed yet.
    explorer.script("ce", "GetCostForecast", {"Total": {"Amount": str(BUDGET + 0.5), "Unit": "USD"}})

    with pytest.raises(OverBudget, match=r"environment\.budget\.monthly_usd = 1,500.*Amazon EC2 30"):
        cost(DEV)

    assert "expected this month" in newest_artifact(prefect_client, "dev-cost-bill")
    (run,) = prefect_client.read_flow_runs()
    assert run.state_name == "Failed", "the automation tells of failed runs"


@pytest.mark.parametrize(("usd_to_come", "failure"), [(0.5, ClientError), (BUDGET + 0.5, OverBudget)])
def test_a_gateway_that_cannot_be_asked_hides_neither_the_bill_nor_that_it_is_too_high(
    explorer: ScriptedAws,
    prefect_client: SyncPrefectClient,
    monkeypatch: pytest.MonkeyPatch,
    usd_to_come: float,
    failure: type[Exception],
) -> None:
    explorer.script("ce", "GetCostAndUsage", billed({"Amazon EC2": 1.0}))
    explorer.script("ce", "GetCostForecast", {"Total": {"Amount": str(usd_to_come), "Unit": "USD"}})
    for name, value in explorer.environment("eks").items():
        monkeypatch.setenv(name, value)
    explorer.refuse("eks", "DescribeCluster", "AccessDeniedException")

    with pytest.raises(failure):
        cost(DEV)

    assert "expected this month" in newest_artifact(prefect_client, "dev-cost-bill")


def test_what_the_newest_plan_said_stands_beside_the_bill(
    explorer: ScriptedAws, state_bucket: StateLocation, prefect_client: SyncPrefectClient
) -> None:
    explorer.script("ce", "GetCostAndUsage", billed({"Amazon EC2": 0.5}))
    now = datetime.now(UTC)
    for review in (reviewed("cd" * 32, now, 812.25), reviewed("ef" * 32, now - timedelta(days=2), 99)):
        key = f"plans/dev/{review.digest}.json"
        write_object(state_bucket, key, review.model_dump_json().encode())
    write_object(state_bucket, f"plans/dev/{'ab' * 32}.json", b'{"of": "a version that kept other fields"}')

    assert cost(DEV).endswith("idle by the newest plan: 812")
    table = newest_artifact(prefect_client, "dev-cost-bill")
    assert "by plan cdcdcdcdcdcd of" in table
    assert "812.25" in table


def test_without_a_forecast_the_month_is_expected_to_go_on_as_it_began() -> None:
    def bill(until: date, this_month: float) -> Bill:
        return Bill(until - timedelta(days=30), until, {"Amazon EC2": 90.0}, {}, this_month, rest_of_month=None)

    assert bill(date(2026, 6, 11), 50.0).expected_month == pytest.approx(150.0)
    assert bill(date(2026, 6, 1), 0.0).expected_month == 0


def test_a_month_without_forecast_that_began_too_dear_fails(explorer: ScriptedAws) -> None:
    explorer.script("ce", "GetCostAndUsage", billed({"Amazon EC2": BUDGET}))
    explorer.refuse("ce", "GetCostForecast", "DataUnavailableException")
    report = report_of(load_environment(DEV), read_bill.fn(load_environment(DEV), date(2026, 6, 4)), None)

    assert "no forecast yet" in report.summary
    assert {"what": "expected this month, if it goes on as it began", "usd": 30 * BUDGET} in report.rows
    with pytest.raises(OverBudget, match=r"will cost 45,000 USD"):
        report.require_within_budget()


@pytest.mark.parametrize(
    ("refusal", "said"),
    [(None, "activate both as cost allocation tags"), ("AccessDeniedException", "needs ce:GetCostAndUsage")],
)
def test_a_bill_that_cannot_be_read_is_never_a_bill_of_nothing(
    explorer: ScriptedAws, prefect_client: SyncPrefectClient, refusal: str | None, said: str
) -> None:
    explorer.script("ce", "GetCostAndUsage", billed({}))
    if refusal:
        explorer.refuse("ce", "GetCostAndUsage", refusal)

    with pytest.raises(CostUnknown, match=said):
        cost(DEV)


def test_a_laptop_has_no_bill(explorer: ScriptedAws, prefect_client: SyncPrefectClient) -> None:
    assert cost(EnvironmentName.LOCAL) == "Nothing to do: nobody bills a laptop."
    assert explorer.calls == []
