"""The store is opened once, by whoever needs it first, for all who need it."""

import asyncio
import gc
import weakref
from pathlib import Path
from typing import Any

import lancedb
import pytest
from lancedb.table import Table

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.store import Filters, StoreUnavailable
from agents.knowledge.store.settings import LanceSettings
from agents.knowledge_base import KnowledgeBase
from tests.agents.corpus_generation import IDENTITY, build_generation, corpus_chunks
from tests.agents.scripted_gateway import embedding

STOP = "What does make down stop?"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The directories that LanceDB opens from now on."""
    found: list[str] = []
    connect: Any = lancedb.connect  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    def counting(uri: Path, *args: Any, **kwargs: Any) -> Any:
        found.append(str(uri))
        return connect(uri, *args, **kwargs)

    monkeypatch.setattr(lancedb, "connect", counting)
    return found


def base_at(directory: Path) -> KnowledgeBase:
    return KnowledgeBase(LanceSettings(directory), FusionSettings("rrf", 0.5, 50), IDENTITY)


async def vector_by(model: EmbeddingIdentity) -> list[float]:
    return embedding(STOP, model.model)


def open_tables() -> weakref.WeakSet[Table]:
    gc.collect()
    return weakref.WeakSet(held for held in gc.get_objects() if isinstance(held, Table))


async def test_who_comes_at_the_same_time_shares_one_store_which_closing_closes(
    tmp_path: Path, opened: list[str]
) -> None:
    build_generation(tmp_path, "g1", corpus_chunks())
    opened.clear()
    before = {id(table) for table in open_tables()}
    base = base_at(tmp_path)
    manifest, record = await asyncio.gather(base.serving(), base.last_change())
    assert (manifest.generation, record) == ("g1", None)
    assert (await base.search(STOP, vector_by, 5, Filters()))[1]
    assert opened == [str(tmp_path / "tables")]
    assert any(id(table) not in before for table in open_tables())
    await base.close()
    assert all(id(table) in before for table in open_tables())


async def test_who_goes_away_takes_the_store_from_nobody(tmp_path: Path, opened: list[str]) -> None:
    base = base_at(tmp_path)
    leaving, staying = (asyncio.create_task(base.last_change()) for _ in range(2))
    await asyncio.sleep(0)  # both have begun
    leaving.cancel()
    assert await staying is None
    assert leaving.cancelled()
    assert len(opened) == 1
    await base.close()


async def test_closing_waits_for_a_store_that_is_being_opened(tmp_path: Path, opened: list[str]) -> None:
    base = base_at(tmp_path)
    leaving = asyncio.create_task(base.last_change())
    await asyncio.sleep(0)  # it has begun
    leaving.cancel()
    await base.close()
    assert len(opened) == 1


async def test_a_store_that_could_not_be_opened_is_opened_later(tmp_path: Path) -> None:
    in_the_way = tmp_path / "knowledge"
    in_the_way.touch()
    base = base_at(in_the_way)
    for gone in (base.last_change(), base.last_change()):
        with pytest.raises(StoreUnavailable):
            await gone
    in_the_way.unlink()
    assert await base.last_change() is None
    await base.close()
