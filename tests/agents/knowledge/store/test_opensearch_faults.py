"""Trouble inside a real OpenSearch server: it passes, and is called what it is."""

from contextlib import closing

import httpx
import pytest

from agents.knowledge.store import KnowledgeStore, StoreUnavailable, UnknownGeneration
from agents.knowledge.store.opensearch import CHUNKS_PER_PAGE
from agents.knowledge.store.opensearch_client import open_client
from agents.knowledge.store.opensearch_copy import IndexCopies
from agents.knowledge.store.settings import OpenSearchSettings
from tests.contracts.generations import GUIDE, build, manifest, passage

pytestmark = pytest.mark.opensearch
UPGRADE = "file:///docs/upgrade.md"


def test_a_server_that_forgot_how_far_a_reader_had_come_is_unavailable(
    store: KnowledgeStore, settings: OpenSearchSettings
) -> None:
    build(store, "g1", [passage(f"d{n}.md", 0, "guide", ["cost"]) for n in range(CHUNKS_PER_PAGE + 1)])
    reading = store.chunks("g1")
    next(reading)
    httpx.delete(f"{settings.endpoint}/_search/scroll/_all", timeout=60).raise_for_status()
    with pytest.raises(StoreUnavailable, match="answered 404"):
        list(reading)

    reading = store.chunks("g1")
    next(reading)
    store.drop("g1")
    with pytest.raises(UnknownGeneration, match="'g1'"):
        list(reading)


def test_a_deletion_beside_another_writer_is_done_in_the_end(
    store: KnowledgeStore, settings: OpenSearchSettings
) -> None:
    store.create(manifest("g1", GUIDE))
    store.add("g1", GUIDE)
    assert sum(store.chunk_counts("g1").values()) == len(GUIDE)
    index = f"{settings.index_prefix}-g1"
    # The server finds the chunks as they were, and each is another one by now.
    store.add("g1", GUIDE)
    with closing(open_client(settings)) as client:
        IndexCopies(client, 0, "the store").delete(index, [UPGRADE])
    assert {uri for uri, _ in store.chunk_counts("g1")} == {chunk.chunk.document_uri for chunk in GUIDE} - {UPGRADE}
