"""The stores that the contract suite runs over."""

import uuid
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings


@pytest.fixture(params=["lance", pytest.param("opensearch", marks=pytest.mark.opensearch)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[LanceSettings | OpenSearchSettings]:
    if request.param == "lance":
        yield LanceSettings(tmp_path / "store")
        return
    address: str = request.getfixturevalue("opensearch_address")
    prefix = f"knowledge-{uuid.uuid4().hex[:12]}"
    yield OpenSearchSettings(address, prefix, shards=1, replicas=0)
    httpx.delete(f"{address}/{prefix}-*", timeout=60).raise_for_status()


@pytest.fixture
def store(settings: LanceSettings | OpenSearchSettings) -> Generator[KnowledgeStore]:
    opened = open_store(settings)
    yield opened
    opened.close()
