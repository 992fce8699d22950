"""A plan in the words of the one who approves it; holds no values of resources, and so no secrets."""

from collections import Counter
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from tasks.environment import Environment, EnvironmentName
from tasks.plan_policy import findings
from tasks.plan_policy.access import unjudged_policies
from tasks.plan_policy.data_loss import data_loss
from tasks.plan_policy.finding import Finding
from tasks.prices import Unpriced, cost_of
from tasks.terraform.plan_document import Action, PlanDocument
from tasks.terraform.saved_plan import SavedPlan

COUNTED = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlannedChange(_Part):
    """What happens to one resource."""

    address: str
    module: str
    action: Action


class Loss(_Part):
    """A resource that holds data, and would be destroyed or replaced."""

    address: str
    action: Action
    holds: str


class PricedChange(_Part):
    """US dollars a month of one resource, before and after."""

    address: str
    before_usd: float
    after_usd: float


class Cost(_Part):
    """US dollars a month when nobody uses the environment; `unpriced` is what they leave out.

    `budget_usd` is what the environment file allows.
    """

    before_usd: float
    after_usd: float
    budget_usd: float
    changes: tuple[PricedChange, ...]
    unpriced: tuple[Unpriced, ...]
    as_of: str
    source: tuple[str, ...]


class ModuleChanges(_Part):
    """How many resources of a module are added, changed, replaced and destroyed."""

    module: str
    add: int
    change: int
    replace: int
    destroy: int


class PlanReview(_Part):
    """One saved plan. `digest`, `serial`, `lineage`, `changed` are those of the `SavedPlan`.

    `complete` is false when the plan leaves a part of the configuration out; `unjudged` are the addresses of policies
    whose text is known after the apply only.
    """

    environment: EnvironmentName
    digest: str
    serial: int
    lineage: str
    changed: bool
    complete: bool
    made: datetime
    requested_by: str
    terraform_version: str
    changes: tuple[PlannedChange, ...]
    losses: tuple[Loss, ...]
    findings: tuple[Finding, ...]
    unjudged: tuple[str, ...]
    cost: Cost

    def modules(self) -> list[ModuleChanges]:
        """The number of changes by module, in the modules' order."""
        counted = Counter((change.module, change.action) for change in self.changes)
        return [
            ModuleChanges(
                module=module,
                add=counted[module, Action.CREATE],
                change=counted[module, Action.UPDATE],
                replace=counted[module, Action.REPLACE],
                destroy=counted[module, Action.DELETE],
            )
            for module in sorted({change.module for change in self.changes})
        ]

    def count(self, action: Action) -> int:
        """How many resources the plan does this to."""
        return sum(change.action is action for change in self.changes)

    def removals(self) -> list[PlannedChange]:
        """What the plan destroys, replaces or takes out of the state."""
        return [change for change in self.changes if change.action in (Action.DELETE, Action.REPLACE, Action.FORGET)]

    def summary(self) -> str:
        """The plan in one line."""
        counts = (self.count(action) for action in COUNTED)
        return "{} to add, {} to change, {} to replace, {} to destroy".format(*counts)


def review_of(saved: SavedPlan, settings: Environment, requested_by: str) -> PlanReview:
    """Look at a saved plan as the one who approves it must: changes, losses, policy, cost."""
    document = saved.document
    cost = cost_of(document, settings)
    return PlanReview(
        environment=settings.name,
        digest=saved.digest,
        serial=saved.serial,
        lineage=saved.lineage,
        changed=saved.changed,
        complete=document.complete,
        made=datetime.now(UTC),
        requested_by=requested_by,
        terraform_version=document.terraform_version,
        changes=planned_changes(document),
        losses=tuple(Loss(address=loss.address, action=loss.action, holds=loss.holds) for loss in data_loss(document)),
        findings=tuple(findings(document, settings)),
        unjudged=tuple(unjudged_policies(document)),
        cost=Cost(
            before_usd=cost.total_before,
            after_usd=cost.total_after,
            budget_usd=settings.environment.budget.monthly_usd,
            changes=tuple(
                PricedChange(address=line.address, before_usd=line.before_usd, after_usd=line.after_usd)
                for line in cost.lines
                if line.delta_usd
            ),
            unpriced=cost.unpriced,
            as_of=cost.as_of.isoformat(),
            source=tuple(cost.source),
        ),
    )


def planned_changes(document: PlanDocument) -> tuple[PlannedChange, ...]:
    """What an apply of the plan does, resource by resource."""
    return tuple(
        PlannedChange(address=change.address, module=change.module, action=change.action)
        for change in document.planned()
    )
