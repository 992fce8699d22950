"""Whatever happens at a commit point of a refresh into a real OpenSearch, running it again converges, unnoticed."""

import os
from pathlib import Path

import pytest

from tests.crash.faults import Case
from tests.crash.refreshes import Refreshes
from tests.crash.stores import OpenSearchBehindProxy

pytestmark = [pytest.mark.prefect_server, pytest.mark.opensearch, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def first_refresh(
    tmp_path_factory: pytest.TempPathFactory, model_files: Path, prefect_server: str, opensearch_address: str
) -> Refreshes:
    """A corpus of three documents whose first generation serves in OpenSearch."""
    store = OpenSearchBehindProxy(opensearch_address, opensearch_address, f"crash-{os.getpid()}")
    refreshes = Refreshes(tmp_path_factory.mktemp("crash"), model_files, prefect_server, store)
    refreshes.begin()
    return refreshes


@pytest.fixture
def refreshes(first_refresh: Refreshes) -> Refreshes:
    """The first generation serves; since then documents were edited, deleted, and added."""
    first_refresh.go_back()
    first_refresh.change()
    return first_refresh


def test_a_refresh_into_opensearch_converges_after_a_fault(refreshes: Refreshes, opensearch_case: Case) -> None:
    refreshes.assert_converges_after(opensearch_case)
