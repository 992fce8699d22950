"""What the Prefect server says of a flow run, also where it, or the load balancer before it, is away for a moment."""

from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run

STOPPING = (StateType.CANCELLING, StateType.CANCELLED)
# A run in one of these may still look after what it started.
ALIVE = (StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED, StateType.PAUSED, StateType.CANCELLING)


class PrefectAway(Exception):
    """The Prefect server does not answer; it may be back in a moment."""


def this_run_is_cancelled() -> bool:
    """Whether somebody cancels the flow run that this is called in, as far as the Prefect server can be asked."""
    own = flow_run.get_id()
    try:
        return own is not None and _state(own) in STOPPING
    except PrefectAway:
        # A server that starts again is no reason to end anything; it is asked again in a few seconds.
        return False


def run_is_alive(flow_run_id: str) -> bool:
    """Whether a flow run is still under way.

    Raises:
        PrefectAway: the server cannot be asked now.
    """
    return _state(flow_run_id) in ALIVE


def _state(flow_run_id: str) -> StateType | None:
    try:
        with get_client(sync_client=True) as prefect:
            return prefect.read_flow_run(UUID(flow_run_id)).state_type
    except ObjectNotFound:
        return None
    except httpx.TransportError as error:
        raise PrefectAway(f"the Prefect server does not answer, asked for flow run {flow_run_id!r}: {error}") from error
    except httpx.HTTPStatusError as error:
        # A load balancer answers 502 to 504 for a server that starts again.
        if error.response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            raise
        raise PrefectAway(
            f"the Prefect server answered {error.response.status_code}, asked for flow run {flow_run_id!r}"
        ) from error
