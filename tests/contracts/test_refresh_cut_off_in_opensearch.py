"""A refresh into a real OpenSearch that goes away after one request: what it leaves goes, whatever comes next."""

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from agents.knowledge.store import StoreUnavailable
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import OpenSearchSettings
from tasks.refresh.gate import GateFailed
from tests.contracts.small_refreshes import SmallKnowledge, question
from tests.crash.faults import Case, WireFault
from tests.crash.faulty_opensearch import FaultyOpenSearch, faulty_opensearch
from tests.crash.opensearch_points import WIRE_POINTS
from tests.crash.stores import OpenSearchBehindProxy, new_opensearch_store

pytestmark = pytest.mark.opensearch

POINTS = {point.name: point for point in WIRE_POINTS}
DOCUMENTS = {name: f"The {name} is as it was." for name in ("upgrade", "cost", "network", "storage")}


@pytest.fixture(scope="module")
def proxy(opensearch_address: str) -> Iterator[FaultyOpenSearch]:
    with faulty_opensearch(opensearch_address) as proxy:
        yield proxy


@pytest.fixture
def tried(opensearch_address: str, proxy: FaultyOpenSearch) -> Iterator[OpenSearchBehindProxy]:
    with new_opensearch_store(opensearch_address, proxy, "cut-off") as tried:
        yield tried


@pytest.mark.parametrize(
    ("point", "call", "next_documents"),
    [
        ("manifest", 1, "others"),
        ("index", 1, "the same"),
        ("index", 1, "others"),
        # Before the clone, for which the empty index goes.
        ("index-gone", 2, "others"),
        ("manifest-gone", 1, "the same"),
        ("manifest-gone", 1, "those before"),
    ],
)
def test_what_a_refresh_leaves_that_was_cut_off_goes_with_the_next(
    tried: OpenSearchBehindProxy, proxy: FaultyOpenSearch, point: str, call: int, next_documents: str
) -> None:
    with closing(open_store(OpenSearchSettings(proxy.url, tried.prefix, shards=1, replicas=0))) as store:
        small = SmallKnowledge(store)
        small.kept = 1
        small.documents = dict(DOCUMENTS)
        small.refresh()
        small.documents["cost"] = "The cost is another one."
        proxy.set_case(Case(POINTS[point], WireFault.AWAY_AFTER, call))
        with pytest.raises(StoreUnavailable):
            small.refresh()
        assert proxy.struck == 1
        proxy.set_case(None)

        if next_documents != "the same":
            small.documents["cost"] = DOCUMENTS["cost"]
        if next_documents == "others":
            small.documents["network"] = "The network is another one."
        small.refresh()

        assert {chunk.text for chunk in store.chunks(small.serving)} == set(small.documents.values())
        assert [manifest.generation for manifest in store.manifests()] == [small.serving]
        assert tried.leftovers() == set()


def test_a_build_that_was_cut_off_after_its_write_block_is_taken_up_and_written_again(
    tried: OpenSearchBehindProxy, proxy: FaultyOpenSearch
) -> None:
    with closing(open_store(OpenSearchSettings(proxy.url, tried.prefix, shards=1, replicas=0))) as store:
        small = SmallKnowledge(store, (question("cost", "What is it about cost?", DOCUMENTS["cost"]),))
        small.documents = dict(DOCUMENTS)
        small.refresh()
        # What the gate refuses holds a document that later builds take over.
        small.documents |= {"cost": "Nothing to see.", "agents": "The agents are new."}
        with pytest.raises(GateFailed):
            small.refresh()
        small.documents["cost"] = DOCUMENTS["cost"]
        proxy.set_case(Case(POINTS["write-block"], WireFault.AWAY_AFTER, 1))
        with pytest.raises(StoreUnavailable):
            small.refresh()
        assert proxy.struck == 1
        proxy.set_case(None)

        small.refresh()

        assert {chunk.text for chunk in store.chunks(small.serving)} == set(small.documents.values())


def test_what_is_no_generation_of_the_store_is_no_leftover_of_it(tried: OpenSearchBehindProxy) -> None:
    others = ["drill-20260101-000000-abcdef", "manual", "20260101-000000-abcdef.old"]
    for name in others:
        httpx.put(f"{tried.address}/{tried.prefix}-{name}", timeout=60).raise_for_status()
    leftover = "20260101-000000-abcdef"
    httpx.put(f"{tried.address}/{tried.prefix}-{leftover}", timeout=60).raise_for_status()
    with closing(open_store(tried.settings)) as store:
        assert store.drop_leftovers() == [leftover]
        assert store.drop_leftovers() == []
    assert tried.leftovers() == set(others)
