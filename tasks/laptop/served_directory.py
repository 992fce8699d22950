"""The directory of documents that a person serves in place of the environment's sources, as the deployments keep it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.knowledge import Knowledge
from tasks.knowledge.sources import is_own_directory, own_directories
from tasks.prefect_objects import Change, PrefectUnreachable, reconcile

# The flows that read the documents: what a person chose for one of them holds for the scheduled runs of all.
FLOWS = ("lifecycle", "knowledge", "drift")


class ServedDirectoryMissing(Exception):
    """The directory that a person chose earlier is not there any more."""


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


def directory_to_serve(api_url: str, settings: Environment, given: str | None) -> str | None:
    """The directory that the environment's deployments are to read from: `given`, or else the one chosen before.

    None when it is the environment's sources.

    Raises:
        ServedDirectoryMissing: what was chosen before is not there any more.
        PrefectUnreachable, httpx.HTTPStatusError: as for `registered_directory`.
    """
    if given is not None:
        return given
    chosen = registered_directory(api_url, settings.name)
    if chosen is not None and not Path(chosen).is_dir():
        raise ServedDirectoryMissing(
            f"the documents come from {chosen!r}, as an earlier `make up KNOWLEDGE=...` said, and it is gone; "
            f"bring it back, or name another one with KNOWLEDGE=<directory>{way_back(settings.knowledge)}"
        )
    return chosen


def forget_directory(api_url: str, settings: Environment, directory: str) -> None:
    """Have the deployments read from the sources of the variable file, whatever these become, once readers are back.

    Where another directory than `directory` was chosen meanwhile, that one stays.
    """
    if registered_directory(api_url, settings.name) == directory:
        reconcile(settings, api_url, dry_run=False, show=_silently)


def _silently(_: Sequence[Change]) -> None:
    """What is written undoes what was shown before."""


def documents_served(knowledge: Knowledge, directory: str | None) -> str:
    """What the knowledge base is made of, in one line for whoever started it."""
    if directory is None or is_own_directory(knowledge, directory):
        return f"documents: {', '.join(source.uri for source in knowledge.sources)}, as the variable file says"
    return f"documents: {directory}, as KNOWLEDGE= said{way_back(knowledge)}"


def way_back(knowledge: Knowledge) -> str:
    """How to serve the sources of the variable file again, to end a sentence with; empty where none is a directory."""
    for own in own_directories(knowledge):
        path = own.relative_to(REPOSITORY) if own.is_relative_to(REPOSITORY) else own
        return f"; `make up KNOWLEDGE={path}` goes back to the sources of the variable file"
    return ""
