"""What an environment costs, beside what its file allows and what its newest plan said that it would."""

from dataclasses import dataclass

from tasks.cost.bill import Bill
from tasks.environment import Environment
from tasks.plan_review import PlanReview


class OverBudget(Exception):
    """The month will cost more than the environment file allows; says how much, and of what most."""


@dataclass(frozen=True)
class CostReport:
    """`budget_usd` a month; `plan` is the newest reviewed plan, None where none is kept."""

    environment: str
    bill: Bill
    budget_usd: float
    plan: PlanReview | None

    @property
    def rows(self) -> list[dict[str, object]]:
        """The figures that decide first, then a row a service, the most expensive first."""
        bill = self.bill
        figures: list[tuple[str, float | None]] = [
            ("budget of a month", self.budget_usd),
            (self._expectation, bill.expected_month),
            ("this month so far", bill.this_month),
            ("forecast of its rest, by AWS", bill.rest_of_month),
            (f"billed {bill.since} to {bill.until}", bill.total),
            (self._plan_name, self.plan.cost.after_usd if self.plan else None),
        ]
        return [
            *({"what": what, "usd": "unknown" if usd is None else round(usd, 2)} for what, usd in figures),
            *({"what": service, "usd": round(usd, 2)} for service, usd in self._by_cost()),
        ]

    @property
    def node_rows(self) -> list[dict[str, object]]:
        """A row an instance type: its hours, and how many nodes that are all day long; the most first."""
        hours = sorted(self.bill.node_hours.items(), key=lambda line: -line[1])
        whole = (self.bill.until - self.bill.since).total_seconds() / 3600
        return [{"type": kind, "hours": round(each, 1), "nodes": round(each / whole, 2)} for kind, each in hours]

    @property
    def summary(self) -> str:
        """In one line."""
        bill = self.bill
        rest = "no forecast yet" if bill.rest_of_month is None else f"{bill.rest_of_month:,.0f} expected to come"
        planned = f"; idle by the newest plan: {self.plan.cost.after_usd:,.0f}" if self.plan else ""
        return (
            f"{self.environment} cost {bill.total:,.0f} USD in 30 days and {bill.this_month:,.0f} this month, {rest}, "
            f"of {self.budget_usd:,.0f} a month{planned}"
        )

    def require_within_budget(self) -> None:
        """Fail when the month will cost more than it may.

        Raises:
            OverBudget: it will.
        """
        if self.bill.expected_month <= self.budget_usd:
            return
        most = ", ".join(f"{service} {usd:,.0f}" for service, usd in self._by_cost()[:3])
        raise OverBudget(
            f"{self.environment} will cost {self.bill.expected_month:,.0f} USD this month{self._by_whom}, and "
            f"environment.budget.monthly_usd = {self.budget_usd:,.0f}. Most of the last 30 days: {most}. Scale down "
            "what is not needed (`models` to zero, smaller limits of capacity), or raise the budget in the file"
        )

    @property
    def _expectation(self) -> str:
        forecast = self.bill.rest_of_month is not None
        return "expected this month" if forecast else "expected this month, if it goes on as it began"

    @property
    def _by_whom(self) -> str:
        if self.bill.rest_of_month is not None:
            return ", as AWS expects"
        return f" if it goes on as its {self.bill.billed_days} days so far, which is little to go by in its first week"

    @property
    def _plan_name(self) -> str:
        if self.plan is None:
            return "a month without use: no plan of the last 30 days"
        return f"a month without use, by plan {self.plan.digest[:12]} of {self.plan.made:%Y-%m-%d}"

    def _by_cost(self) -> list[tuple[str, float]]:
        return sorted(self.bill.by_service.items(), key=lambda line: -line[1])


def report_of(settings: Environment, bill: Bill, plan: PlanReview | None) -> CostReport:
    """The report of an environment's `bill`."""
    return CostReport(settings.name.value, bill, settings.environment.budget.monthly_usd, plan)
