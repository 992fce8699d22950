"""The key under which a run is asked for, so that asking again finds it instead of starting another."""

from itertools import count

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterIdempotencyKey
from prefect.client.schemas.objects import FlowRun


def next_key(client: SyncPrefectClient, prefix: str) -> tuple[str, FlowRun | None]:
    """The key of the run to wait for, and that run where it exists: one that is under way, or one that completed.

    After each that ended otherwise the key is a new one, because Prefect gives failed runs back, too. Prefect's keys
    are unique for each flow, not for each deployment: `prefix` has to name the environment.
    """
    for number in count(1):
        key = f"{prefix}-{number}"
        wanted = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=[key]))
        found = next(iter(client.read_flow_runs(flow_run_filter=wanted)), None)
        if found is None or found.state is None or not found.state.is_final() or found.state.is_completed():
            return key, found
    raise AssertionError("count does not end")
