"""The stores that the contract suite runs over, and where their copies lie."""

import uuid
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.opensearch_client import open_client
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from tasks.restore_drill.knowledge import Copies
from tasks.restore_drill.lance_copies import LanceCopies
from tasks.restore_drill.opensearch_copies import OpenSearchCopies, Repository
from tests.tasks.evaluation.conftest import judge

__all__ = ["judge"]


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


@pytest.fixture
def copies(settings: LanceSettings | OpenSearchSettings, tmp_path: Path) -> Generator[Copies]:
    if isinstance(settings, LanceSettings):
        yield LanceCopies(settings.directory, tmp_path / "copies")
        return
    name = f"copies-{uuid.uuid4().hex[:12]}"
    client = open_client(settings)
    # A relative location lies in the one directory that the server may keep snapshots in.
    yield OpenSearchCopies(client, settings, Repository(name, "fs", {"location": name}), timedelta(minutes=2))
    client.snapshot.delete_repository(repository=name, params={"ignore": 404})
    client.close()
