"""Where an environment on AWS differs from its variable file, and how it came to: read from two plans.

The refresh-only plan says what changed behind Terraform's back since the last apply; the normal plan says what an apply
would do now. Together they tell what somebody changed by hand from what the file wants and nobody applied yet.

Terraform cannot make a refresh-only plan while a resource is missing that others refer to (`Invalid index`): it neither
has nor plans it. The normal plan, which refreshes as well, records what it found changed, and then stands in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import require_account
from tasks.drift.attribute_differences import ABSENT, AttributeDifference, attribute_differences
from tasks.drift.ignored_attributes import IGNORED
from tasks.drift.report import DriftReport
from tasks.environment import Environment, EnvironmentName
from tasks.terraform.plan_document import Action, PlanDocument, ResourceChange
from tasks.terraform.plan_references import is_configured
from tasks.terraform.saved_plan import SavedPlan
from tasks.terraform.state_bucket import state_bucket_exists, state_location
from tasks.terraform.stored_objects import read_object

PRESENT = "present"
RESOURCE = "the resource"


class Cause(StrEnum):
    """How a difference came about, which decides what to do about it."""

    CHANGED = "changed by hand"
    BESIDE = "changed by hand beside what Terraform manages"
    GONE = "deleted by hand"
    NOT_APPLIED = "not applied yet"


REMEDIES: Mapping[Cause, str] = {
    Cause.CHANGED: "{provision} puts it back; to keep it, write it into the variable file or the Terraform code",
    Cause.BESIDE: "{provision} does not take it back: undo it by hand, or write it into the Terraform code",
    Cause.GONE: "{provision} makes it again",
    Cause.NOT_APPLIED: "{provision} applies it",
}


class NotProvisioned(Exception):
    """The environment has no state: it was never provisioned, or somebody deleted its state."""


class StateMoved(Exception):
    """Somebody changed the environment while it was compared: the two plans do not belong together."""


@dataclass(frozen=True)
class Difference:
    """One thing (`what`: an attribute by its path, or the resource) that is not as the environment file has it."""

    address: str
    what: str
    wanted: str
    found: str
    cause: Cause

    def __str__(self) -> str:
        return f"{self.address}: {self.what}: wanted {self.wanted!r}, found {self.found!r} ({self.cause})"


@task(task_run_name="require-state", cache_policy=NO_CACHE, persist_result=False)
def require_state(settings: Environment) -> None:
    """Stop where there is no state to compare with.

    Raises:
        NotProvisioned: there is none.
        WrongAccount: the credentials are not of the environment's account.
        ForeignStateBucket: another account owns the state bucket.
    """
    require_account(settings)
    location = state_location(settings)
    if not state_bucket_exists(settings) or read_object(location, location.key) is None:
        name = settings.name.value
        raise NotProvisioned(
            f"there is no state s3://{location.bucket}/{location.key}: {name!r} was never provisioned (run "
            f"provision/{name}), or its state was deleted (the bucket keeps old versions: bring one back)"
        )


def lacks_resources(ahead: SavedPlan) -> bool:
    """Whether something that the variable file wants does not exist, so that there can be no refresh-only plan."""
    return any(change.action is Action.CREATE for change in ahead.document.planned())


def nothing_provisioned(environment: EnvironmentName) -> DriftReport:
    """The report of an environment that was torn down: its state is there, and holds nothing."""
    return DriftReport(f"{environment.value!r} is torn down: 0 resources", (), (), ())


def cloud_report(environment: EnvironmentName, behind: SavedPlan, ahead: SavedPlan) -> DriftReport:
    """All that differs on AWS, by the refresh-only plan `behind` and the normal plan `ahead`.

    Raises:
        StateMoved: the plans were made of different states.
    """
    if (behind.lineage, behind.serial) != (ahead.lineage, ahead.serial):
        raise StateMoved(
            f"the state of {environment.value!r} changed from serial {behind.serial} to {ahead.serial} while it was "
            f"compared: somebody applies something. Run drift/{environment.value} again after that"
        )
    found = differences(behind.document, ahead.document)
    causes = [cause for cause in Cause if any(row.cause is cause for row in found)]
    provision = f"provision/{environment.value}"
    part = "" if ahead.document.complete else ", only a part of the environment"
    return DriftReport(
        scope=f"{len(ahead.document.changes)} resources{part}",
        rows=tuple(asdict(row) for row in found),
        differing=tuple(map(str, found)),
        remedies=tuple(
            f"{cause[0].upper()}{cause[1:]}: {REMEDIES[cause].format(provision=provision)}" for cause in causes
        ),
    )


def differences(behind: PlanDocument, ahead: PlanDocument) -> list[Difference]:
    """What differs by the refresh-only plan `behind` and the normal plan `ahead`; what was done by hand comes first.

    What was changed by hand and is in the file meanwhile is no difference, nor is what AWS changes by itself.
    """
    planned = {change.address: change for change in ahead.planned()}
    drifted = {change.address: list(_by_hand(change, planned.get(change.address), ahead)) for change in behind.drift}
    rows = [row for rows in drifted.values() for row in rows]
    for address, change in planned.items():
        known = {row.what for row in drifted.get(address, [])}
        rows += [row for row in _not_applied(change) if RESOURCE not in known and row.what not in known]
    return sorted(rows, key=lambda row: (list(Cause).index(row.cause), row.address, row.what))


def _by_hand(change: ResourceChange, planned: ResourceChange | None, ahead: PlanDocument) -> Iterator[Difference]:
    """What somebody did to one resource; `planned` is what an apply would do to it now."""
    if change.before is None or change.after is None:
        if planned is not None:
            yield Difference(change.address, RESOURCE, PRESENT, ABSENT, Cause.GONE)
        return
    put_back = {each.path: each for each in _planned_differences(planned)} if planned else {}
    ignored = IGNORED.get(change.type, frozenset())
    for each in attribute_differences(change.before, change.after, {}, change.sensitive):
        if each.path in put_back:
            yield _row(change, put_back[each.path], Cause.CHANGED)
        # What the configuration sets, and an apply would leave as it is, the file wants as it is.
        elif each.attribute not in ignored and not is_configured(ahead, change, each.attribute):
            yield _row(change, each, Cause.BESIDE)


def _not_applied(change: ResourceChange) -> Iterator[Difference]:
    match change.action:
        case Action.CREATE:
            yield Difference(change.address, RESOURCE, PRESENT, ABSENT, Cause.NOT_APPLIED)
        case Action.DELETE:
            yield Difference(change.address, RESOURCE, ABSENT, PRESENT, Cause.NOT_APPLIED)
        case Action.FORGET:
            yield Difference(change.address, RESOURCE, "not managed", "managed", Cause.NOT_APPLIED)
        case _:
            rows = [_row(change, each, Cause.NOT_APPLIED) for each in _planned_differences(change)]
            yield from rows or [Difference(change.address, RESOURCE, change.action, PRESENT, Cause.NOT_APPLIED)]


def _planned_differences(change: ResourceChange) -> list[AttributeDifference]:
    return attribute_differences(change.after or {}, change.before or {}, change.unknown, change.sensitive)


def _row(change: ResourceChange, each: AttributeDifference, cause: Cause) -> Difference:
    return Difference(change.address, each.path, each.wanted, each.found, cause)
