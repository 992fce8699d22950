"""Two who change what serves at the same time, over both stores: the one who began last does, the other gives up."""

from collections.abc import Callable, Sequence
from contextlib import closing

import pytest

from agents.knowledge.refusal import RefreshRefused
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from agents.knowledge.turn import RefreshOvertaken
from tasks.refresh.rollback import roll_back
from tests.contracts.small_refreshes import SmallKnowledge, embed

FIRST, SECOND, THIRD = ({"cost": f"The cost of the {name} month."} for name in ("first", "second", "third"))


@pytest.fixture
def small(store: KnowledgeStore) -> SmallKnowledge:
    """A knowledge base whose second generation serves, before a third refresh."""
    small = SmallKnowledge(store)
    for documents in (FIRST, SECOND):
        small.documents = dict(documents)
        small.refresh()
    small.documents = dict(THIRD)
    return small


def refresh_while(small: SmallKnowledge, act: Callable[[], object]) -> None:
    """Refresh, and do something else in the middle of it."""

    def embed_meanwhile(texts: Sequence[str]) -> list[list[float]]:
        small.embed = embed
        act()
        return embed(texts)

    small.embed = embed_meanwhile
    small.refresh()


@pytest.mark.parametrize("back", [0, 1], ids=["to what serves", "to the one before"])
def test_a_refresh_under_way_does_not_undo_a_rollback(small: SmallKnowledge, back: int) -> None:
    target = small.store.manifests()[back].generation

    with pytest.raises(RefreshOvertaken, match=rf"the return to generation '{target}' began at .* run knowledge again"):
        refresh_while(small, lambda: roll_back(small.store, target))

    assert small.serving == target
    # Whoever asks for a refresh afterwards wants it.
    assert small.refresh().generation == small.serving != target


def test_of_two_refreshes_the_one_that_began_last_brings_what_it_has(
    small: SmallKnowledge, settings: LanceSettings | OpenSearchSettings
) -> None:
    with closing(open_store(settings)) as opened:
        other = SmallKnowledge(opened)
        other.documents = {"cost": "The cost of the fourth month."}

        with pytest.raises(RefreshRefused, match=r"a refresh began at .*, while a refresh that began") as refused:
            refresh_while(small, other.refresh)

    assert len(refused.value.rows) == 2
    serving = small.serving
    assert [chunk.text for chunk in small.store.chunks(serving)] == ["The cost of the fourth month."]
    assert small.store.manifests()[0].generation == serving, "nothing half built is left"
    assert small.store.drop_leftovers() == []
    small.documents = dict(other.documents)
    assert small.refresh().new is False
