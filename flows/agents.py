"""The stage `agents`: the online agent service."""

from dataclasses import dataclass

from prefect import flow, get_run_logger

from flows import command_line
from flows.agents_in_cluster import release_in_cluster
from flows.agents_on_laptop import release_on_laptop
from tasks.agent_service.cluster_release import Digest
from tasks.agent_service.http_api import Probe
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.runs.origin import record_origin
from tasks.wrong_input import WrongInput


class VersionOnLaptop(WrongInput):
    """A version was asked for where the service runs from the checkout."""


@dataclass(frozen=True)
class Released:
    """What came of the stage in one line; on a laptop with the answer to a probe question."""

    summary: str
    probe: Probe | None = None


@flow(name="agents", persist_result=True, on_running=[record_origin])
def agents(environment: EnvironmentName, version: Digest | None = None, requested_by: str = "") -> Released:
    """Release the agent service: the published version, or the one that is asked for, once it has proved itself.

    Args:
        environment: the environment whose service is released
        version: an image by its digest, "sha256:...", to go back to it or forward; on AWS only
        requested_by: who asks for it; without it the AWS identity of the run is recorded
    """
    settings = load_environment(environment)
    released = release(settings, version, requested_by)
    get_run_logger().info(released.summary)
    return released


def release(settings: Environment, version: str | None, requested_by: str) -> Released:
    """Release where the environment is."""
    if settings.laptop is None:
        return Released(release_in_cluster(settings, version, requested_by))
    if version is not None:
        raise VersionOnLaptop(
            f"version = {version!r} is for environments on AWS; {settings.name.value!r} runs what is checked out: "
            "check another commit out, and run agents/local"
        )
    url, probe = release_on_laptop(settings)
    return Released(f"{settings.name.value} answers at {url}", probe)


if __name__ == "__main__":
    command_line.run(agents)
