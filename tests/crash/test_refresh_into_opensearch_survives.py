"""A refresh into a real OpenSearch, at whose calls, or at whose requests on the wire, something goes wrong.

Running it again converges, and readers notice nothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.faults import Case, Fault, WireFault
from tests.crash.faulty_opensearch import FaultyOpenSearch, faulty_opensearch
from tests.crash.refreshes import Refreshes
from tests.crash.stores import OpenSearchBehindProxy

pytestmark = [pytest.mark.prefect_server, pytest.mark.opensearch, pytest.mark.timeout(900)]

# Of these the run may hear nothing: the client tries again.
PASSING = (WireFault.UNAVAILABLE, WireFault.CUT_AFTER, WireFault.PART_BUSY)


@pytest.fixture(scope="module")
def proxy(opensearch_address: str) -> Iterator[FaultyOpenSearch]:
    with faulty_opensearch(opensearch_address) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def first_refresh(
    tmp_path_factory: pytest.TempPathFactory,
    model_files: Path,
    prefect_server: str,
    opensearch_address: str,
    proxy: FaultyOpenSearch,
) -> Refreshes:
    """A corpus of three documents whose first generation serves in OpenSearch."""
    store = OpenSearchBehindProxy(opensearch_address, proxy.url, f"crash-{os.getpid()}")
    refreshes = Refreshes(tmp_path_factory.mktemp("crash"), model_files, prefect_server, store)
    refreshes.begin()
    return refreshes


@pytest.fixture
def refreshes(first_refresh: Refreshes, proxy: FaultyOpenSearch) -> Iterator[Refreshes]:
    """The first generation serves; since then documents were edited, deleted, and added."""
    first_refresh.go_back()
    first_refresh.change()
    yield first_refresh
    proxy.set_case(None)


def test_a_refresh_into_opensearch_converges_after_a_fault(refreshes: Refreshes, opensearch_case: Case) -> None:
    with refreshes.reader() as reader:
        code, embedded_before, output = refreshes.run(opensearch_case)
        assert (code == 0) == (opensearch_case.fault is Fault.SLOW), output
        embedded_after = refresh_again(refreshes)

    reader.assert_nothing_was_missed()
    if opensearch_case.point.name != "add":
        assert not embedded_before & embedded_after, "a chunk that was stored has been embedded again"


def test_a_refresh_converges_after_a_fault_on_the_wire(
    refreshes: Refreshes, proxy: FaultyOpenSearch, wire_case: Case
) -> None:
    with refreshes.reader() as reader:
        proxy.set_case(wire_case)
        code, embedded_before, output = refreshes.run()
        assert proxy.struck == 1, f"the refresh never came to this request: {output}"
        assert (code == 0) == (wire_case.fault in PASSING), output
        assert code == 0 or "StoreUnavailable: the OpenSearch store at" in output, output
        proxy.set_case(None)
        embedded_after = refresh_again(refreshes)

    reader.assert_nothing_was_missed()
    if wire_case.point.name != "bulk":
        assert not embedded_before & embedded_after, "a chunk that was stored has been embedded again"


def refresh_again(refreshes: Refreshes) -> set[str]:
    """Refresh without a fault; returns the ids of the chunks that were stored by it."""
    code, embedded, output = refreshes.run()
    assert code == 0, output
    refreshes.assert_index_is_what_the_manifest_says()
    return embedded
