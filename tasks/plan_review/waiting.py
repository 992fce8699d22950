"""The plan that a run of `provision` made, or waits with, as the Prefect server tells of it."""

from dataclasses import dataclass
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from tasks.artifacts import artifact_key
from tasks.environment import EnvironmentName
from tasks.plan_review import digest_to_apply

_KEY = "plan-"


class NoPendingApproval(Exception):
    """The run is not waiting for an approval, or did not accept the answer; says in what state it is."""


@dataclass(frozen=True)
class WaitingPlan:
    """What is to be decided: the plan's digest, and its page as markdown."""

    environment: EnvironmentName
    digest: str
    page: str


def pause_key(digest: str) -> str:
    """Under what a run waits: an answer to one plan is never taken for the answer to another."""
    return f"{_KEY}{digest}"


def read_waiting_plan(client: SyncPrefectClient, run_id: UUID) -> WaitingPlan:
    """The plan that the run waits with.

    Raises:
        ObjectNotFound: there is no such run.
        NoPendingApproval: it does not wait for an approval.
    """
    run = client.read_flow_run(run_id)
    key = run.state.state_details.pause_key if run.state and run.state.is_paused() else None
    if key is None or not key.startswith(_KEY):
        state = run.state.name if run.state else "nothing"
        raise NoPendingApproval(f"run {run.name!r} is not waiting for an approval: its state is {state!r}")
    environment = EnvironmentName(run.parameters["environment"])
    digest = key.removeprefix(_KEY)
    page = _page(client, environment, run_id)
    return WaitingPlan(
        environment, digest, page or f"# Plan {digest}\nIts page is not on the server; look at the run's log."
    )


def plan_to_apply(client: SyncPrefectClient, environment: EnvironmentName, run_id: UUID) -> str | None:
    """The digest of the plan that the run made for somebody to apply; None when it made none, or nothing changes."""
    page = _page(client, environment, run_id)
    return digest_to_apply(page) if page else None


def _page(client: SyncPrefectClient, environment: EnvironmentName, run_id: UUID) -> str | None:
    wanted = ArtifactFilter(
        flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]),
        key=ArtifactFilterKey(any_=[artifact_key(environment, "provision", "plan")]),
    )
    found = client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC, limit=1)
    return str(found[0].data) if found else None
