from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.search import EmbeddingMismatch, hybrid_search
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings
from tests.contracts.generations import EMBEDDING, build, vector

MIN_MAX = FusionSettings(method="min_max", dense_weight=0.3, candidates=10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KnowledgeStore]:
    opened = open_store(LanceSettings(tmp_path))
    yield opened
    opened.close()


def test_passages_carry_their_place_in_each_leg(store: KnowledgeStore) -> None:
    manifest = build(store, "g1")
    passages = hybrid_search(store, manifest, "minor version", vector("upgrade"), EMBEDDING, MIN_MAX, 3)
    best, second = passages[:2]
    assert (best.chunk.chunk_id, best.generation, best.score) == ("upgrade.md#0", "g1", 1.0)
    assert best.lexical is not None
    assert (best.lexical.rank, best.lexical.score > 0) == (1, True)
    assert best.dense is not None
    assert (best.dense.rank, best.dense.score) == (1, pytest.approx(1.0, abs=1e-6))
    assert (second.chunk.chunk_id, second.lexical) == ("upgrade.md#1", None)
    assert second.dense is not None
    assert (second.dense.rank, second.dense.score) == (2, pytest.approx(2**-0.5, abs=1e-6))
    assert len(passages) == 3


def test_the_limit_may_exceed_the_candidates(store: KnowledgeStore) -> None:
    manifest = build(store, "g1")
    few = FusionSettings(method="rrf", dense_weight=0, candidates=1)
    assert len(hybrid_search(store, manifest, "guide", vector("cost"), EMBEDDING, few, 4)) == 4


@pytest.mark.parametrize("change", [{"model": "other"}, {"fingerprint": "f" * 64}, {"dimension": 5}])
def test_a_query_of_another_embedding_is_refused(store: KnowledgeStore, change: dict[str, str | int]) -> None:
    manifest = build(store, "g1")
    other = EMBEDDING.model_copy(update=change)
    with pytest.raises(EmbeddingMismatch, match=r"'g1' was embedded by 'topics'.*refresh"):
        hybrid_search(store, manifest, "guide", vector("cost"), other, MIN_MAX, 4)
