"""Runs of deployments on the rehearsal's Prefect server, watched until they end or wait for a person."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey
from prefect.client.schemas.objects import State, StateType
from prefect.client.schemas.sorting import ArtifactSort

from tasks.artifacts import artifact_key
from tasks.environment import EnvironmentName

LOOK_EVERY_SECONDS = 1.0


class StageFailed(Exception):
    """A stage did not do what the rehearsal expects of it; says what it did."""


@dataclass(frozen=True)
class DeploymentRun:
    """A run of the deployment `<stage>/<environment>`."""

    client: SyncPrefectClient
    environment: EnvironmentName
    stage: str
    id: UUID

    def wait(self, expected: StateType, within_seconds: float) -> State[Any]:
        """Wait until the run waits for a person or ended; returns the state.

        Raises:
            StageFailed: that state is not of type `expected`, or none is reached in time.
        """
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            state = self.client.read_flow_run(self.id).state
            if state and (state.is_final() or state.is_paused()):
                if state.type is not expected:
                    raise StageFailed(f"{self.name} is {state.name!r} instead of {expected.value}: {state.message}")
                return state
            time.sleep(LOOK_EVERY_SECONDS)
        raise StageFailed(f"{self.name} did not end within {within_seconds:.0f} s")

    def table(self, name: str) -> object:
        """The data of the newest artifact `name` of this run.

        Raises:
            StageFailed: the run published none.
        """
        key = artifact_key(self.environment, self.stage, name)
        wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[self.id]), key=ArtifactFilterKey(any_=[key]))
        found = self.client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC, limit=1)
        if not found:
            raise StageFailed(f"{self.name} published no artifact {key!r}")
        return found[0].data

    @property
    def name(self) -> str:
        """The deployment's name."""
        return f"{self.stage}/{self.environment.value}"


def start_run(
    client: SyncPrefectClient, environment: EnvironmentName, stage: str, parameters: Mapping[str, object]
) -> DeploymentRun:
    """Start a run of the deployment, with `parameters` beside those of the deployment itself."""
    deployment = client.read_deployment_by_name(f"{stage}/{environment.value}")
    run = client.create_flow_run_from_deployment(deployment.id, parameters=dict(parameters))
    return DeploymentRun(client, environment, stage, run.id)
