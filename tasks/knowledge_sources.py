"""What the sources of a knowledge base hold now, as a task of a flow."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment.knowledge import Knowledge, Source
from tasks.refresh.scanning import scan


def sources_of(knowledge: Knowledge, directory: str | None) -> tuple[Source, ...]:
    """The sources that a refresh reads: those of the variable file, or only `directory` where one is given."""
    if directory is None:
        return knowledge.sources
    return (Source(name="directory", uri=f"file://{Path(directory).expanduser().resolve()}"),)


# Never from a cache: what the sources held when a run was first tried is no answer to what they hold now.
scan_sources = task(task_run_name="scan-sources", cache_policy=NO_CACHE)(scan)
