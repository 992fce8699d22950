"""Opens the store that the settings name."""

from dataclasses import dataclass
from pathlib import Path

from agents.knowledge.store import KnowledgeStore


@dataclass(frozen=True)
class LanceSettings:
    """The embedded store, in a directory of its own."""

    directory: Path


@dataclass(frozen=True)
class OpenSearchSettings:
    """An OpenSearch server or domain at `endpoint` (`http(s)://host:port`).

    Indices are called `<index_prefix>-<generation>`; `shards` and `replicas` are those of each.
    """

    endpoint: str
    index_prefix: str
    shards: int
    replicas: int


def open_store(settings: LanceSettings | OpenSearchSettings) -> KnowledgeStore:
    """Open the store of these settings; close it with `close()`.

    The engine's library is imported here, so that a process loads the one that it uses.
    """
    if isinstance(settings, LanceSettings):
        from agents.knowledge.store.lance import LanceStore

        return LanceStore(settings.directory)
    from agents.knowledge.store.opensearch import OpenSearchStore

    return OpenSearchStore(settings)
