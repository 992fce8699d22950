"""Which store holds an environment's knowledge, in the terms of the library that opens it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from tasks.environment import Environment
from tasks.environment.knowledge import LanceStore, OpenSearchStore
from tasks.laptop.data_directory import data_directory


def store_settings(
    environment: Environment, outputs: Mapping[str, Any] | None = None
) -> LanceSettings | OpenSearchSettings:
    """The settings of the environment's store; `outputs` are Terraform's, of an environment on AWS.

    Raises:
        ValueError: the endpoint of an OpenSearch domain is not known.
    """
    store = environment.knowledge.store
    if isinstance(store, LanceStore):
        return LanceSettings(data_directory(environment) / store.directory)
    endpoint = search_endpoint(store, outputs)
    return OpenSearchSettings(
        endpoint, store.index_prefix, store.shards, store.replicas, region=environment.environment.region
    )


def search_endpoint(store: OpenSearchStore, outputs: Mapping[str, Any] | None) -> str:
    """Where the store answers: what the variable file says, or else Terraform's `outputs`.

    Raises:
        ValueError: neither says it.
    """
    if store.endpoint is not None:
        return store.endpoint
    if outputs is None:
        raise ValueError("knowledge.store.endpoint is null: Terraform's outputs have to supply it")
    return str(outputs["search"]["endpoint"])


@contextmanager
def knowledge_store(environment: Environment, outputs: Mapping[str, Any] | None = None) -> Generator[KnowledgeStore]:
    """The environment's store, opened, and closed at the end of the block."""
    store = open_store(store_settings(environment, outputs))
    try:
        yield store
    finally:
        store.close()
