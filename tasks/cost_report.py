"""What an environment costs, beside what its file allows and what its newest plan said that it would."""

from dataclasses import dataclass

from tasks.bill import Bill
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
            ("expected this month", bill.expected_month),
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
            f"{self.environment} will cost {self.bill.expected_month:,.0f} USD this month, and "
            f"environment.budget.monthly_usd = {self.budget_usd:,.0f}. Most of the last 30 days: {most}. Scale down "
            "what is not needed (`models` to zero, smaller limits of capacity), or raise the budget in the file"
        )

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
