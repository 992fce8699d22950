"""Where the Prefect server differs from what the repository describes, such as by what somebody changed in its UI."""

from collections.abc import Mapping, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.settings import PREFECT_API_URL

from tasks.drift.report import DriftReport
from tasks.environment import Environment
from tasks.prefect_objects import Change, reconcile
from tasks.prefect_objects.change import SWITCHED_OFF


@task(task_run_name="compare-prefect-objects", cache_policy=NO_CACHE)
def compare_prefect_objects(environment: Environment, parameters: Mapping[str, Mapping[str, object]]) -> DriftReport:
    """Every object that a deploy would change, and those that a person switched off, which it leaves as they are.

    `parameters` are those that the deploy was given, by flow name.

    An environment that was never deployed to the server of this run, or a run without a server, has nothing to compare.
    """
    api_url = PREFECT_API_URL.value()
    changes = _changes(environment, api_url, parameters) if api_url else []
    # `provision` makes its block of an environment that nobody deployed yet, too.
    if all(change.action == "create" for change in changes if change.kind != "block"):
        return DriftReport("no Prefect objects", (), (), ())
    return _report(environment, changes)


def _changes(
    environment: Environment, api_url: str, parameters: Mapping[str, Mapping[str, object]]
) -> Sequence[Change]:
    return reconcile(environment, api_url, dry_run=True, parameters=parameters, show=lambda _: None)


def _report(environment: Environment, changes: Sequence[Change]) -> DriftReport:
    differing = [change for change in changes if change.action != "unchanged"]
    switched_off = [change for change in changes if change.switched_off]
    return DriftReport(
        scope=f"{len(changes)} Prefect objects",
        rows=(
            *(_row(change, "as in the repository", _found(change), drift=True) for change in differing),
            # A decision of somebody, and not drift; whoever reads the table shall know of it.
            *(_row(change, "in use", SWITCHED_OFF, drift=False) for change in switched_off),
        ),
        differing=tuple(f"{change.kind} {change.name!r} {_found(change)}" for change in differing),
        remedies=(f"Run make deploy ENV={environment.name.value}",) if differing else (),
    )


def _row(change: Change, wanted: str, found: str, *, drift: bool) -> Mapping[str, object]:
    return {"what": f"{change.kind} {change.name}", "wanted": wanted, "found": found, "drift": drift}


def _found(change: Change) -> str:
    match change.action:
        case "create":
            return "is missing"
        case "delete":
            return "is in the repository no longer"
        case _:
            return f"differs in {', '.join(change.fields)}"
