"""Where the Prefect server differs from what the repository describes, such as by what somebody changed in its UI."""

from collections.abc import Mapping, Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.settings import PREFECT_API_URL

from tasks.drift_report import DriftReport
from tasks.environment import Environment
from tasks.prefect_objects import Change, reconcile


@task(task_run_name="compare-prefect-objects", cache_policy=NO_CACHE)
def compare_prefect_objects(environment: Environment, parameters: Mapping[str, Mapping[str, object]]) -> DriftReport:
    """Every object that a deploy would change; `parameters` are those that the deploy was given, by flow name.

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
    return DriftReport(
        scope=f"{len(changes)} Prefect objects",
        rows=tuple(
            {
                "what": f"{change.kind} {change.name}",
                "wanted": "as in the repository",
                "found": _found(change),
                "drift": True,
            }
            for change in differing
        ),
        differing=tuple(f"{change.kind} {change.name!r} {_found(change)}" for change in differing),
        remedies=(f"Run make deploy ENV={environment.name.value}",) if differing else (),
    )


def _found(change: Change) -> str:
    match change.action:
        case "create":
            return "is missing"
        case "delete":
            return "is in the repository no longer"
        case _:
            return f"differs in {', '.join(change.fields)}"
