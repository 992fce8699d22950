"""What AWS bills for an environment, by its tags, from Cost Explorer: as of yesterday, each request costs a cent.

Sources: GetCostAndUsage and GetCostForecast in
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Cost_Explorer_Service.html
"""

import re
from calendar import monthrange
from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from botocore.exceptions import ClientError
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.resource_names import PROJECT

COVERED = timedelta(days=30)
SERVICE = {"Type": "DIMENSION", "Key": "SERVICE"}
USAGE_TYPE = {"Type": "DIMENSION", "Key": "USAGE_TYPE"}
# Such as `USW2-BoxUsage:m7i.large`, and without the region's prefix in us-east-1:
# https://docs.aws.amazon.com/cur/latest/userguide/product-columns.html
INSTANCE_HOURS = re.compile(r"(?:^|-)(?:BoxUsage|SpotUsage|HostBoxUsage|DedicatedUsage):(?P<type>.+)$")


class CostUnknown(Exception):
    """Cost Explorer tells nothing of the environment; says why, and what to do."""


@dataclass(frozen=True)
class Bill:
    """US dollars, before credits and taxes are told apart: `by_service` from `since` until before `until`.

    `node_hours` are hours of EC2 instances in that time, by type. `this_month` is what is billed since its first day;
    `rest_of_month` is what AWS expects to come until its end, None where it has too little history to say.
    """

    since: date
    until: date
    by_service: Mapping[str, float]
    node_hours: Mapping[str, float]
    this_month: float
    rest_of_month: float | None

    @property
    def total(self) -> float:
        """All services together."""
        return sum(self.by_service.values())

    @property
    def expected_month(self) -> float:
        """What this month will have cost at its end; where AWS does not say, as if it went on as it began."""
        if self.rest_of_month is not None:
            return self.this_month + self.rest_of_month
        days = monthrange(self.until.year, self.until.month)[1]
        return self.this_month / self.billed_days * days if self.billed_days else 0.0

    @property
    def billed_days(self) -> int:
        """How many days of this month are billed."""
        return self.until.day - 1


@task(task_run_name="read-bill", cache_policy=NO_CACHE, persist_result=False)
def read_bill(settings: Environment, today: date) -> Bill:
    """The bill of the environment's resources over the 30 days before `today` (UTC), and the forecast of the month.

    Raises:
        CostUnknown: we may not read it, or nothing that is billed carries the environment's tags.
        MissingCredentials: there are no credentials, or AWS refuses them.
    """
    explorer, since = client("ce", settings), today - COVERED
    by_service: defaultdict[str, float] = defaultdict(float)
    this_month = 0.0
    with explained_credentials(), _explained():
        for day in _days(explorer, settings, since, today, SERVICE, "UnblendedCost"):
            for group in day["Groups"]:
                usd = float(group["Metrics"]["UnblendedCost"]["Amount"])
                by_service[group["Keys"][0]] += usd
                if date.fromisoformat(day["TimePeriod"]["Start"]) >= today.replace(day=1):
                    this_month += usd
        if not by_service:
            raise CostUnknown(
                f"nothing that was billed since {since} carries the tags Project = {PROJECT!r} and Environment = "
                f"{settings.name.value!r}: activate both as cost allocation tags in the Billing console of the payer "
                "account; they count from then on, and show a day later"
            )
        node_hours = _node_hours(explorer, settings, since, today)
        return Bill(since, today, dict(by_service), node_hours, this_month, _forecast(explorer, settings, today))


def _node_hours(explorer: Any, settings: Environment, since: date, until: date) -> dict[str, float]:
    hours = defaultdict[str, float](float)
    for day in _days(explorer, settings, since, until, USAGE_TYPE, "UsageQuantity"):
        for group in day["Groups"]:
            if instance := INSTANCE_HOURS.search(group["Keys"][0]):
                hours[instance["type"]] += float(group["Metrics"]["UsageQuantity"]["Amount"])
    return dict(hours)


def _days(
    explorer: Any, settings: Environment, since: date, until: date, by: Mapping[str, str], metric: str
) -> Generator[dict[str, Any]]:
    asked: dict[str, Any] = {
        "TimePeriod": {"Start": since.isoformat(), "End": until.isoformat()},
        "Granularity": "DAILY",
        "Metrics": [metric],
        "GroupBy": [by],
        "Filter": _tagged(settings),
    }
    while True:
        answer = explorer.get_cost_and_usage(**asked)
        yield from answer["ResultsByTime"]
        if not answer.get("NextPageToken"):
            return
        asked["NextPageToken"] = answer["NextPageToken"]


def _forecast(explorer: Any, settings: Environment, today: date) -> float | None:
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    try:
        answer = explorer.get_cost_forecast(
            TimePeriod={"Start": today.isoformat(), "End": next_month.isoformat()},
            # By the month, it could be that of the whole month; by the day, it is that of the days that are asked for.
            Granularity="DAILY",
            Metric="UNBLENDED_COST",
            Filter=_tagged(settings),
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "DataUnavailableException":
            raise
        return None
    return float(answer["Total"]["Amount"])


def _tagged(settings: Environment) -> dict[str, Any]:
    tags = {"Project": PROJECT, "Environment": settings.name.value}
    return {"And": [{"Tags": {"Key": key, "Values": [value]}} for key, value in tags.items()]}


@contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except ClientError as error:
        refusal = error.response.get("Error", {})
        if refusal.get("Code") not in ("AccessDeniedException", "DataUnavailableException"):
            raise
        raise CostUnknown(
            f"Cost Explorer refuses ({refusal.get('Code')}: {refusal.get('Message')}): the role that runs this flow "
            "needs ce:GetCostAndUsage and ce:GetCostForecast, and the account needs Cost Explorer to be switched on "
            "and to let IAM roles read the bill"
        ) from error
