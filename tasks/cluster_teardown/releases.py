"""The releases that this project installed, uninstalled from the last one to the first."""

from collections.abc import Callable

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.helm.records import ReleaseRecord, read_records
from tasks.helm.releases_file import STAGES
from tasks.helm.upgrade import Target, remove
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.objects import BUDGETS, NODE_POOLS, Document, delete, list_all
from tasks.runs.log import run_log

OF_RELEASE, IN_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
Chosen = Callable[[ReleaseRecord], bool]


@task(task_run_name="remove-releases", cache_policy=NO_CACHE, persist_result=False)
def remove_workloads(target: Target) -> list[str]:
    """Uninstall what later stages than `addons` installed; returns what went.

    Raises:
        ClusterFault: what the cluster refused, or it took too long.
    """
    return _remove(target, lambda record: _stage(record) > 0)


@task(task_run_name="remove-addons-on-pools", cache_policy=NO_CACHE, persist_result=False)
def remove_after_pools(target: Target) -> list[str]:
    """Uninstall the add-ons that were rolled out after the node pools, so may run on their nodes; returns what went.

    Raises:
        ClusterFault: as above.
    """
    homes = {key for pool in list_all(target.connection, NODE_POOLS) if (key := _release_of(pool))}
    orders = [record.order for key, record in _own(target).items() if key in homes]
    if not orders:
        return []
    return _remove(target, lambda record: record.order > max(orders))


@task(task_run_name="remove-operators", cache_policy=NO_CACHE, persist_result=False)
def remove_operators(target: Target) -> list[str]:
    """Uninstall all that is left, Karpenter and the other operators among it; returns what went.

    Raises:
        ClusterFault: as above.
    """
    return _remove(target, lambda record: True)


def lift_own_budgets(target: Target) -> None:
    """Delete the disruption budgets of releases that go anyway: their pods have no other node to move to.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    own = _own(target)
    for budget in list_all(target.connection, BUDGETS):
        if _release_of(budget) in own:
            delete(target.connection, BUDGETS, budget)


def releases_left(connection: Connection, environment: str) -> list[str]:
    """The releases of the environment that Helm still records."""
    return [record.name for record in read_records(connection).values() if record.environment == environment]


def _remove(target: Target, chosen: Chosen) -> list[str]:
    records = sorted(filter(chosen, _own(target).values()), key=_place, reverse=True)
    for record in records:
        run_log().info("removing the release %r (%s)", record.name, record.status)
        remove(target, record)
    return [f"release {record.namespace}/{record.name}" for record in records]


def _own(target: Target) -> dict[tuple[str, str], ReleaseRecord]:
    records = read_records(target.connection)
    return {key: record for key, record in records.items() if record.environment == target.environment}


def _place(record: ReleaseRecord) -> tuple[int, int]:
    return (_stage(record), record.order)


def _stage(record: ReleaseRecord) -> int:
    """The place of its stage; what says none is treated as the add-ons, which go last."""
    return next((place for place, stage in enumerate(STAGES) if stage == record.stage), 0)


def _release_of(document: Document) -> tuple[str, str] | None:
    annotations = document["metadata"].get("annotations") or {}
    return (annotations[IN_NAMESPACE], annotations[OF_RELEASE]) if OF_RELEASE in annotations else None
