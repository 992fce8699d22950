"""A restore drill over a real OpenSearch, at one of whose requests on the wire something goes wrong.

Running it again converges: the copy is whole, nothing is left beside, and what serves never moved.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.store import KnowledgeStore, StoreUnavailable
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.opensearch_client import open_client
from tasks.restore_drill.comparing import Questions
from tasks.restore_drill.knowledge import LAST_COPY, drill_knowledge
from tasks.restore_drill.opensearch_copies import OpenSearchCopies, Repository
from tasks.restore_drill.report import Objective, Restoration, require_restored
from tests.contracts.generations import build, vector
from tests.crash.faults import PASSING, Case, WireFault
from tests.crash.faulty_opensearch import FaultyOpenSearch, faulty_opensearch
from tests.crash.opensearch_points import DRILL_POINTS, assert_points_are_the_writes
from tests.crash.stores import OpenSearchBehindProxy

pytestmark = [pytest.mark.opensearch, pytest.mark.timeout(1200)]

LONGEST = timedelta(minutes=2)
NAME = f"drill-{os.getpid()}"


@pytest.fixture(scope="module")
def proxy(opensearch_address: str) -> Iterator[FaultyOpenSearch]:
    with faulty_opensearch(opensearch_address) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def tried(opensearch_address: str, proxy: FaultyOpenSearch) -> OpenSearchBehindProxy:
    return OpenSearchBehindProxy(opensearch_address, proxy.url, NAME)


@pytest.fixture(scope="module")
def store(tried: OpenSearchBehindProxy) -> Iterator[KnowledgeStore]:
    """A store in which a generation serves."""
    with closing(open_store(tried.settings)) as store:
        build(store, "one")
        store.promote("one")
        yield store
    httpx.delete(f"{tried.address}/{NAME}-*", timeout=60).raise_for_status()


@pytest.fixture
def copies(tried: OpenSearchBehindProxy, proxy: FaultyOpenSearch, store: KnowledgeStore) -> Iterator[OpenSearchCopies]:
    """The copies of the store, which are reached by way of the proxy; there is none yet."""
    settings = tried.settings_by_proxy
    with closing(open_client(settings)) as client:
        copies = OpenSearchCopies(client, settings, Repository(NAME, "fs", {"location": NAME}), LONGEST)
        yield copies
        proxy.set_case(None)
        copies.drop("one")
        # The next case begins with the first drill of all, which misses no copy.
        store.write_note(LAST_COPY, "")
        client.snapshot.delete_repository(repository=NAME)


def drilled(store: KnowledgeStore, copies: OpenSearchCopies) -> Restoration:
    questions = Questions((), lambda _: vector("upgrade"), FusionSettings("min_max", 0.5, 20))
    return drill_knowledge.fn(store, copies, questions, Objective(point=timedelta(hours=1), time=LONGEST))


def test_a_drill_converges_after_a_fault_on_the_wire(
    store: KnowledgeStore,
    copies: OpenSearchCopies,
    proxy: FaultyOpenSearch,
    opensearch_address: str,
    drill_case: Case,
) -> None:
    serving = store.serving()
    proxy.set_case(drill_case)
    # What is restored is refused a second time, and goes: the server does not tell it from somebody else's.
    refused = drill_case.point.name == "restore" and drill_case.fault is WireFault.CUT_AFTER
    if drill_case.fault in PASSING and not refused:
        require_restored([drilled(store, copies)])
    else:
        with pytest.raises(StoreUnavailable, match=f"at {proxy.url} (answered|does not answer)"):
            drilled(store, copies)
    assert proxy.struck == 1, "the drill never came to this request"
    proxy.set_case(None)

    require_restored([drilled(store, copies)])
    assert set(copies.taken()) == {"one"}
    beside = httpx.get(f"{opensearch_address}/_cat/indices/{NAME}-drill*?h=index", timeout=60)
    assert beside.raise_for_status().text == ""
    assert store.serving() == serving


def test_whatever_a_drill_has_the_server_change_is_a_point(
    store: KnowledgeStore, copies: OpenSearchCopies, proxy: FaultyOpenSearch
) -> None:
    proxy.set_case(None)
    require_restored([drilled(store, copies)])
    assert_points_are_the_writes(DRILL_POINTS, proxy.writes)
