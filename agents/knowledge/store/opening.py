"""Opens the store that the settings name."""

from collections.abc import Callable

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings


def load_engine(settings: LanceSettings | OpenSearchSettings) -> Callable[[], KnowledgeStore]:
    """Import the library of the engine, so that a process loads the one that it uses; what is returned opens the store.

    An import takes seconds, in which a thread leaves little to the others.
    """
    if isinstance(settings, LanceSettings):
        from agents.knowledge.store.lance import LanceStore

        return lambda: LanceStore(settings.directory)
    from agents.knowledge.store.opensearch import OpenSearchStore

    return lambda: OpenSearchStore(settings)


def open_store(settings: LanceSettings | OpenSearchSettings) -> KnowledgeStore:
    """Open the store of these settings; close it with `close()`."""
    return load_engine(settings)()
