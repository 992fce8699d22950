"""What a worker would do with the stages of a lifecycle, done through Prefect's API: no stage does any work."""

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from types import MappingProxyType

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Completed, Running

NOTHING_FAILS: Mapping[str, State[None]] = MappingProxyType({})
LIFECYCLE = "-lifecycle-"


def stage_runs(client: SyncPrefectClient, in_key: str = LIFECYCLE) -> list[FlowRun]:
    """The runs that a lifecycle, or whoever has `in_key` in their keys, asked for, the oldest first."""
    runs = [run for run in client.read_flow_runs() if in_key in str(run.idempotency_key)]
    return sorted(runs, key=lambda run: run.created.timestamp() if run.created else 0)


@contextmanager
def played_worker(outcomes: Mapping[str, State[None]] = NOTHING_FAILS, in_key: str = LIFECYCLE) -> Generator[None]:
    """Every run of `stage_runs` is started and ends: with its state of `outcomes`, which are by flow, or completed."""
    ended = threading.Event()

    def play() -> None:
        with get_client(sync_client=True) as client:
            while not ended.wait(0.1):
                for run in stage_runs(client, in_key):
                    if run.state is not None and not run.state.is_final():
                        client.set_flow_run_state(run.id, Running(), force=True)
                        outcome = outcomes.get(client.read_flow(run.flow_id).name, Completed())
                        client.set_flow_run_state(run.id, outcome, force=True)

    # The server that Prefect uses belongs to the context.
    thread = threading.Thread(target=copy_context().run, args=(play,))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
