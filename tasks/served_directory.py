"""The directory of documents that a person serves in place of the environment's sources, as the deployments keep it."""

from collections.abc import Mapping

import httpx

from tasks.environment import EnvironmentName
from tasks.prefect_objects import PrefectUnreachable

# The flows that read the documents: what a person chose for one of them holds for the scheduled runs of all.
FLOWS = ("lifecycle", "knowledge", "drift")


def directory_parameters(directory: str | None) -> Mapping[str, Mapping[str, object]]:
    """The parameters of the deployments that read from `directory`, by flow; none for the environment's sources."""
    return {} if directory is None else {flow: {"directory": directory} for flow in FLOWS}


def registered_directory(api_url: str, environment: EnvironmentName) -> str | None:
    """The directory that the deployments of `environment` read from now, None when it is the environment's sources.

    Raises:
        PrefectUnreachable: no server answers at `api_url`.
        httpx.HTTPStatusError: the server refuses.
    """
    url = f"{api_url}/deployments/name/{FLOWS[0]}/{environment.value}"
    try:
        # The proxy of the surroundings, if there is one, does not lead to this machine's loopback.
        answer = httpx.get(url, timeout=10, trust_env=False)
    except httpx.TransportError as error:
        raise PrefectUnreachable(f"no Prefect server answers at {api_url!r}: {error}; start it first") from error
    if answer.status_code == 404:
        return None
    return answer.raise_for_status().json()["parameters"].get("directory")
