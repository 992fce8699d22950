"""Which store holds an environment's knowledge, in the terms of the library that opens it."""

from collections.abc import Generator
from contextlib import contextmanager

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from tasks.data_directory import data_directory
from tasks.environment import Environment
from tasks.environment.knowledge import LanceStore


def store_settings(environment: Environment) -> LanceSettings | OpenSearchSettings:
    """The settings of the environment's store.

    Raises:
        ValueError: the endpoint of an OpenSearch domain is not known.
    """
    store = environment.knowledge.store
    if isinstance(store, LanceStore):
        return LanceSettings(data_directory(environment) / store.directory)
    if store.endpoint is None:
        raise ValueError("knowledge.store.endpoint is null: Terraform's outputs have to supply it")
    return OpenSearchSettings(store.endpoint, store.index_prefix, store.shards, store.replicas)


@contextmanager
def knowledge_store(environment: Environment) -> Generator[KnowledgeStore]:
    """The environment's store, opened, and closed at the end of the block."""
    store = open_store(store_settings(environment))
    try:
        yield store
    finally:
        store.close()
