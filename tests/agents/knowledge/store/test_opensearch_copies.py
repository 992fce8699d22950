"""How chunks get from one generation to the next inside a real OpenSearch server."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from agents.knowledge.store import Filters, KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import OpenSearchSettings
from tests.contracts.generations import GUIDE, build, manifest, passage, vector

pytestmark = pytest.mark.opensearch
UPGRADE, COST, NETWORK = (f"file:///docs/{name}" for name in ("upgrade.md", "cost.html", "network.md"))


def index_of(settings: OpenSearchSettings, generation: str) -> str:
    return f"{settings.endpoint}/{settings.index_prefix}-{generation}"


def cloned_from(settings: OpenSearchSettings, generation: str) -> Any:
    """The index that a generation's one is a clone of; None when its chunks were copied one by one."""
    answer = httpx.get(f"{index_of(settings, generation)}/_settings?flat_settings=true", timeout=60).raise_for_status()
    (found,) = answer.json().values()
    return found["settings"].get("index.resize.source.name")


def test_most_of_a_generation_is_cloned_without_the_rest(store: KnowledgeStore, settings: OpenSearchSettings) -> None:
    build(store, "g1")
    fresh = passage("storage.md", 0, "Volumes are encrypted.", ["storage"])
    expected = manifest("g2", [*GUIDE[:3], fresh], age=1)
    store.create(expected)
    assert store.copy("g1", "g2", [UPGRADE, COST, "file:///docs/missing.md"]) == 3
    store.add("g2", [fresh])
    store.seal(expected)

    assert str(cloned_from(settings, "g2")).endswith("-g1")
    assert {chunk.chunk_id for chunk in store.chunks("g2")} == {e.chunk.chunk_id for e in (*GUIDE[:3], fresh)}
    legs = store.search("g2", "three zones share one gateway", vector("network"), 9, Filters())
    assert "network.md#0" not in {hit.chunk.chunk_id for hit in (*legs.lexical, *legs.dense)}
    assert store.search("g2", "encrypted", vector("storage"), 1, Filters()).dense[0].chunk == fresh.chunk
    assert {chunk.chunk_id for chunk in store.chunks("g1")} == {e.chunk.chunk_id for e in GUIDE}


def test_a_clone_that_was_cut_off_is_begun_anew(store: KnowledgeStore, settings: OpenSearchSettings) -> None:
    build(store, "g1")
    building = manifest("g2", GUIDE[:3], age=1)
    store.create(building)
    # What a process leaves that is killed before what is not wanted was deleted.
    httpx.delete(index_of(settings, "g2"), timeout=60).raise_for_status()
    own = {"settings": {"index.blocks.write": None}}
    clone = f"{index_of(settings, 'g1')}/_clone/{settings.index_prefix}-g2"
    httpx.put(clone, json=own, timeout=60).raise_for_status()
    assert sum(store.chunk_counts("g2").values()) == len(GUIDE)

    store.create(building)
    assert store.chunk_counts("g2") == {}
    assert store.copy("g1", "g2", [UPGRADE, COST]) == 3
    store.create(building)
    store.seal(building)
    assert {chunk.chunk_id for chunk in store.chunks("g2")} == {e.chunk.chunk_id for e in GUIDE[:3]}


def test_a_clone_can_be_cloned(store: KnowledgeStore, settings: OpenSearchSettings) -> None:
    build(store, "g1")
    for age, (origin, name) in enumerate((("g1", "g2"), ("g2", "g3")), start=1):
        expected = manifest(name, GUIDE, age=age)
        store.create(expected)
        store.copy(origin, name, [UPGRADE, COST, NETWORK])
        store.seal(expected)
    store.drop("g1")
    store.drop("g2")
    assert str(cloned_from(settings, "g3")).endswith("-g2")
    assert len(list(store.chunks("g3"))) == len(GUIDE)


def test_little_of_a_generation_or_of_one_of_another_shape_is_copied_one_by_one(
    store: KnowledgeStore, settings: OpenSearchSettings
) -> None:
    build(store, "g1")
    store.create(manifest("g2", GUIDE[:1], age=1))
    assert store.copy("g1", "g2", [NETWORK]) == 1
    assert store.copy("g1", "g2", [UPGRADE, COST, NETWORK]) == len(GUIDE), "nothing that is there is thrown away"
    wider = open_store(replace(settings, shards=2))
    wider.create(manifest("g3", GUIDE, age=2))
    assert wider.copy("g1", "g3", [UPGRADE, COST, NETWORK]) == len(GUIDE)
    wider.close()
    assert [cloned_from(settings, name) for name in ("g2", "g3")] == [None, None]
