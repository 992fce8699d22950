"""Whatever happens at a commit point of a refresh, running it again converges, and readers notice nothing."""

from pathlib import Path

import pytest

from agents.knowledge.generation import Manifest
from agents.knowledge.holds import holds, write_holds
from agents.knowledge.store import KnowledgeStore
from tests.crash.faults import Case, Fault
from tests.crash.refresh_points import INTERRUPTED
from tests.crash.refreshes import Refreshes
from tests.crash.stores import LanceInDirectory, opened

pytestmark = [pytest.mark.prefect_server, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def first_refresh(tmp_path_factory: pytest.TempPathFactory, model_files: Path, prefect_server: str) -> Refreshes:
    """A corpus of three documents whose first generation serves in LanceDB."""
    directory = tmp_path_factory.mktemp("crash")
    refreshes = Refreshes(directory, model_files, prefect_server, LanceInDirectory(directory / "data"))
    refreshes.begin()
    return refreshes


@pytest.fixture
def refreshes(first_refresh: Refreshes) -> Refreshes:
    """The first generation serves; since then documents were edited, deleted, and added."""
    first_refresh.go_back()
    first_refresh.change()
    return first_refresh


def test_a_refresh_converges_after_a_fault(refreshes: Refreshes, refresh_case: Case) -> None:
    refreshes.assert_converges_after(refresh_case)


def test_a_refresh_that_goes_on_converges_after_a_second_fault(refreshes: Refreshes, resumed_case: Case) -> None:
    refreshes.assert_converges_after(INTERRUPTED, resumed_case)


@pytest.fixture(scope="module")
def two_generations(first_refresh: Refreshes) -> tuple[Refreshes, str, str]:
    """A corpus whose second generation serves, and the names of both generations."""
    first_refresh.go_back()
    with opened(first_refresh.store) as store:
        first = store.serving()
        assert first is not None
        second = build_beside(store, first)
    return first_refresh, first.generation, second


def build_beside(store: KnowledgeStore, base: Manifest) -> str:
    """A copy of a generation under another name, which serves afterwards."""
    beside = base.model_copy(update={"generation": "29991231-000000-beside", "inputs_digest": "of the second"})
    store.create(beside.model_copy(update={"state": "building"}))
    store.copy(base.generation, beside.generation, list(base.documents))
    store.seal(beside)
    store.promote(beside.generation)
    return beside.generation


def test_a_rollback_converges_after_a_fault(two_generations: tuple[Refreshes, str, str], rollback_case: Case) -> None:
    refreshes, first, second = two_generations
    with opened(refreshes.store) as store:
        store.promote(second)
        write_holds(store, ())
        with refreshes.reader() as reader:
            code, _, output = refreshes.run(rollback_case, rollback_to=first)
            assert (code == 0) == (rollback_case.fault is Fault.SLOW), output
            code, _, output = refreshes.run(rollback_to=first)
            assert code == 0, output

        reader.assert_nothing_was_missed()
        serving = store.serving()
        assert serving is not None
        assert serving.generation == first
        assert [hold.generation for hold in holds(store)] == [second], "the next refresh could bring it back"
