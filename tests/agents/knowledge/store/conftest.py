"""A store of a test's own inside the real OpenSearch server of the session."""

import uuid
from collections.abc import Iterator

import httpx
import pytest

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import OpenSearchSettings


@pytest.fixture
def settings(opensearch_address: str) -> Iterator[OpenSearchSettings]:
    prefix = f"store-{uuid.uuid4().hex[:12]}"
    yield OpenSearchSettings(opensearch_address, prefix, shards=1, replicas=0)
    httpx.delete(f"{opensearch_address}/{prefix}-*", timeout=60).raise_for_status()


@pytest.fixture
def store(settings: OpenSearchSettings) -> Iterator[KnowledgeStore]:
    opened = open_store(settings)
    yield opened
    opened.close()
