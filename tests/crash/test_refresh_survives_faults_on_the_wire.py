"""A refresh into a real OpenSearch, at one of whose requests on the wire something goes wrong.

Running it again converges, and readers notice nothing. Everything but reading and embedding is the product's own; it
runs in this process, for no fault of these ends one.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from agents.knowledge.store import StoreUnavailable
from agents.knowledge.store.opening import open_store
from tests.contracts.generations import DIMENSION
from tests.contracts.small_refreshes import SmallKnowledge
from tests.crash.faults import PASSING, Case, WireFault
from tests.crash.faulty_opensearch import FaultyOpenSearch, faulty_opensearch
from tests.crash.opensearch_points import WIRE_POINTS, assert_points_are_the_writes
from tests.crash.reader import Reader
from tests.crash.stores import OpenSearchBehindProxy, new_opensearch_store

pytestmark = [pytest.mark.opensearch, pytest.mark.timeout(1200)]

WRITTEN_AT_ONCE = 4


@pytest.fixture(scope="module")
def proxy(opensearch_address: str) -> Iterator[FaultyOpenSearch]:
    with faulty_opensearch(opensearch_address) as proxy:
        yield proxy


@pytest.fixture
def tried(opensearch_address: str, proxy: FaultyOpenSearch) -> Iterator[OpenSearchBehindProxy]:
    with new_opensearch_store(opensearch_address, proxy, "wire") as tried:
        yield tried


@pytest.fixture
def small(tried: OpenSearchBehindProxy) -> Iterator[SmallKnowledge]:
    """A generation of a corpus serves; since then a document was edited, one deleted, and many were added."""
    with closing(open_store(tried.settings_by_proxy)) as store:
        small = SmallKnowledge(store)
        small.kept = 1
        small.written_at_once = WRITTEN_AT_ONCE
        # Most of it stays: so the store clones it.
        small.documents = {f"apple-{number}.md": f"The apple {number} is ripe." for number in range(6)}
        small.refresh()
        small.embedded.clear()
        small.documents["apple-0.md"] = "The apple 0 is eaten."
        del small.documents["apple-1.md"]
        small.documents |= {f"pear-{number}.md": f"The pear {number} is green." for number in range(7)}
        yield small


def test_a_refresh_converges_after_a_fault_on_the_wire(
    small: SmallKnowledge, tried: OpenSearchBehindProxy, proxy: FaultyOpenSearch, wire_case: Case
) -> None:
    with Reader(tried.settings, DIMENSION) as reader:
        proxy.set_case(wire_case)
        if goes_by(wire_case):
            small.refresh()
        else:
            with pytest.raises(StoreUnavailable, match="the OpenSearch store at"):
                small.refresh()
        assert proxy.struck == 1, "the refresh never came to this request"
        proxy.set_case(None)
        before = Counter(small.embedded)
        small.refresh()

    reader.assert_nothing_was_missed()
    assert_index_is_what_the_manifest_says(small, tried)
    if wire_case.point.name != "bulk":
        assert max(Counter(small.embedded).values()) == 1, f"embedded again, of {before}"


def test_whatever_a_refresh_has_the_server_change_is_a_point(small: SmallKnowledge, proxy: FaultyOpenSearch) -> None:
    proxy.set_case(None)
    small.refresh()
    assert_points_are_the_writes(WIRE_POINTS, proxy.writes)


def goes_by(case: Case) -> bool:
    """Whether the refresh hears nothing of the fault, because the client tries again."""
    # A bulk write is tried again where the server was busy, too, after a pause.
    return case.fault in PASSING or (case.point.name == "bulk" and case.fault is WireFault.BUSY)


def assert_index_is_what_the_manifest_says(small: SmallKnowledge, tried: OpenSearchBehindProxy) -> None:
    """One generation is there, of the documents as they are now, each once, and nothing of another."""
    with closing(open_store(tried.settings)) as store:
        serving = store.serving()
        assert serving is not None
        assert [(each.generation, each.state) for each in store.manifests()] == [(serving.generation, "ready")]
        assert {record.path for record in serving.documents.values()} == small.documents.keys()
        chunks = list(store.chunks(serving.generation))
        assert Counter((chunk.path, chunk.text) for chunk in chunks) == Counter(small.documents.items())
        assert serving.chunk_count == len(chunks)
    assert tried.leftovers() == set()
