"""The stage `drift`: whether the environment is what its variable file says; changes nothing."""

from prefect import flow, get_run_logger

from flows import command_line
from flows.local_only import require_local
from tasks.artifacts import publish_table
from tasks.embedding_model import provenance
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.knowledge_base import plan
from tasks.knowledge_sources import MEBIBYTE, scan_sources, sources_of
from tasks.local_drift import (
    Comparison,
    compare_components,
    compare_knowledge,
    compare_model_files,
    compare_settings,
)
from tasks.platforms.local_components import LocalComponents
from tasks.store_settings import knowledge_store


class DriftFound(Exception):
    """The environment differs from its variable file; says where."""


@flow(name="drift", persist_result=True)
def drift(environment: EnvironmentName, directory: str | None = None) -> list[Comparison]:
    """Compare processes, model files, gateway configuration and serving generation with the variable file.

    Args:
        environment: the environment to look at
        directory: the directory of documents that is served instead of the environment's sources
    """
    require_local("drift", environment)
    settings = load_environment(environment)
    components = LocalComponents.of(settings)
    comparisons = [
        *compare_components(components),
        *compare_model_files(settings),
        *compare_settings(components),
        *served(settings, directory),
    ]
    rows = [
        {"what": line.what, "wanted": line.wanted, "found": line.found, "drift": not line.agrees}
        for line in comparisons
    ]
    publish_table(environment, "drift", "comparison", rows, "The variable file, and what was found")
    if differing := [line for line in comparisons if not line.agrees]:
        listed = "; ".join(f"{line.what}: wanted {line.wanted!r}, found {line.found!r}" for line in differing)
        raise DriftFound(f"{len(differing)} of {len(comparisons)} differ: {listed}. Run lifecycle/{environment.value}.")
    get_run_logger().info("%d things compared, no drift", len(comparisons))
    return comparisons


def served(settings: Environment, directory: str | None) -> list[Comparison]:
    """The serving generation against the sources as they are now."""
    sources = sources_of(settings.knowledge, directory)
    with knowledge_store(settings) as store:
        scanned = scan_sources(sources, settings.knowledge.max_document_mib * MEBIBYTE)
        serving = store.serving()
        refresh_plan = plan(store, scanned, provenance(settings, sources, None, None))
        return compare_knowledge(refresh_plan, serving.generation if serving else None)


if __name__ == "__main__":
    command_line.run(drift)
