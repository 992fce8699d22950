"""What the sources of a knowledge base hold now, as a task of a flow."""

from pathlib import Path
from urllib.parse import unquote

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import REPOSITORY
from tasks.environment.knowledge import Knowledge, Source
from tasks.refresh.scanning import scan

FILE = "file://"


def sources_of(knowledge: Knowledge, directory: str | None) -> tuple[Source, ...]:
    """The sources that a refresh reads: those of the variable file, or only `directory` where another one is given."""
    if directory is None or is_own_directory(knowledge, directory):
        return knowledge.sources
    return (Source(name="directory", uri=f"file://{Path(directory).expanduser().resolve()}"),)


def own_directories(knowledge: Knowledge) -> tuple[Path, ...]:
    """The absolute paths of those sources of the variable file that are directories."""
    paths = (unquote(source.uri.removeprefix(FILE)) for source in knowledge.sources if source.uri.startswith(FILE))
    return tuple((REPOSITORY / path).resolve() for path in paths)


def is_own_directory(knowledge: Knowledge, directory: str) -> bool:
    """Whether whoever names `directory` asks for the sources of the variable file, because it is one of them."""
    return Path(directory).expanduser().resolve() in own_directories(knowledge)


# Never from a cache: what the sources held when a run was first tried is no answer to what they hold now.
scan_sources = task(task_run_name="scan-sources", cache_policy=NO_CACHE)(scan)
