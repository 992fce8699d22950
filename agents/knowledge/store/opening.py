"""Opens the store that the settings name."""

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings


def open_store(settings: LanceSettings | OpenSearchSettings) -> KnowledgeStore:
    """Open the store of these settings; close it with `close()`.

    The engine's library is imported here, so that a process loads the one that it uses.
    """
    if isinstance(settings, LanceSettings):
        from agents.knowledge.store.lance import LanceStore

        return LanceStore(settings.directory)
    from agents.knowledge.store.opensearch import OpenSearchStore

    return OpenSearchStore(settings)
