"""The flow runs of a local Prefect server that are under way, and how they end when their processes do.

Source: https://docs.prefect.io/v3/api-ref/rest-api (flow_runs/filter and flow_runs/{id}/set_state).
"""

import time
from datetime import datetime
from typing import Any

import httpx
import psutil
from pydantic import BaseModel, TypeAdapter

UNDER_WAY = ("PENDING", "RUNNING", "CANCELLING")
# The module that a process worker starts for every run.
ENGINE = "prefect.engine"


class RunState(BaseModel):
    """When a flow run came to the state that it is in."""

    timestamp: datetime


class FlowRun(BaseModel):
    """One flow run, with the type of its state, such as RUNNING."""

    id: str
    name: str
    state_type: str
    state: RunState


_RUNS = TypeAdapter(list[FlowRun])


def cancel_flow_runs(api_url: str, grace_seconds: float) -> list[FlowRun]:
    """Cancel all runs that are under way and return them; those that do not end in time are marked as cancelled.

    A server that does not answer has no runs to cancel: the answer is empty.

    Raises:
        httpx.HTTPStatusError: the server refuses.
    """
    with _client(api_url) as client:
        try:
            runs = _find(client, {})
        except httpx.TransportError:
            return []
        for run in runs:
            _set_state(client, run, "CANCELLING", "the platform is being stopped", force=False)
        deadline = time.monotonic() + grace_seconds
        left = _find(client, {})
        while left and time.monotonic() < deadline:
            time.sleep(0.2)
            left = _find(client, {})
        for run in left:
            _set_state(client, run, "CANCELLED", "the platform was stopped", force=True)
    return runs


def mark_unattended_runs(api_url: str, work_pool: str, worker_since: datetime | None = None) -> list[FlowRun]:
    """Mark the runs of `work_pool` that are under way without a process, and their subflows, as crashed; return them.

    Such a run was left behind by a worker that was killed, and would hold its concurrency slot for ever. `worker_since`
    is when the pool's only worker started, None while none runs; what is under way since then is its own affair.

    Raises:
        httpx.HTTPError: the server does not answer, or refuses.
    """
    attended = _runs_with_a_process()
    with _client(api_url) as client:
        found = [
            run
            for run in _find(client, {"work_pools": {"name": {"any_": [work_pool]}}})
            if run.id not in attended and (worker_since is None or run.state.timestamp < worker_since)
        ]
        marked: list[FlowRun] = []
        while found:
            for run in found:
                _set_state(client, run, "CRASHED", "its worker was stopped while it ran", force=True)
            marked += found
            found = _find(client, {}, parents=[run.id for run in found])
    return marked


def _runs_with_a_process() -> set[str]:
    """The ids of the flow runs that a process of this machine runs; a worker hands them over in the environment."""
    carried: set[str] = set()
    for process in psutil.process_iter():
        try:
            if ENGINE in process.cmdline():
                carried.add(process.environ().get("PREFECT__FLOW_RUN_ID", ""))
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            # Gone meanwhile, or of another user, who has no worker of ours.
            continue
    return carried


def _client(api_url: str) -> httpx.Client:
    # The proxy of the surroundings, if there is one, does not lead to this machine's loopback.
    return httpx.Client(base_url=api_url, timeout=10, trust_env=False)


def _find(client: httpx.Client, others: dict[str, Any], parents: list[str] | None = None) -> list[FlowRun]:
    wanted: dict[str, Any] = {"state": {"type": {"any_": list(UNDER_WAY)}}}
    if parents is not None:
        wanted["parent_flow_run_id"] = {"any_": parents}
    answer = client.post("/flow_runs/filter", json={"flow_runs": wanted, **others})
    return _RUNS.validate_json(answer.raise_for_status().content)


def _set_state(client: httpx.Client, run: FlowRun, state: str, why: str, *, force: bool) -> None:
    body = {"state": {"type": state, "name": state.capitalize(), "message": why}, "force": force}
    client.post(f"/flow_runs/{run.id}/set_state", json=body).raise_for_status()
