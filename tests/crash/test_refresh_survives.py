"""Whatever happens at a commit point of a refresh, running it again converges, and readers notice nothing."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from agents.knowledge.generation import Manifest
from agents.knowledge.holds import holds, write_holds
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings
from tests.crash.faults import Case, Fault
from tests.crash.reader import Reader
from tests.local_environment import write_local_environment

pytestmark = [pytest.mark.prefect_server, pytest.mark.timeout(600)]
DIMENSION = 384


class Refreshes:
    """Runs refreshes of one corpus in processes of their own, and remembers what each embedded."""

    def __init__(self, directory: Path, models: Path, api_url: str) -> None:
        self.corpus = directory / "corpus"
        self.corpus.mkdir()
        data = directory / "data"
        data.mkdir()
        (data / "models").symlink_to(models)
        self.store = data / "knowledge"
        self._journals = directory / "journals"
        self._journals.mkdir()
        self._environ = {
            **os.environ,
            "AGENTIC_EKS_ENVIRONMENTS": str(write_local_environment(directory / "environments", data, 1)),
            "PREFECT_API_URL": api_url,
        }

    def write(self, name: str, paragraphs: int) -> None:
        # Each section is long enough to become a chunk of its own.
        text = "\n\n".join(
            f"## {name} {n}\n\n" + f"The {name} of chapter {n} is ripe. " * 10 for n in range(paragraphs)
        )
        (self.corpus / f"{name}.md").write_text(f"# {name}\n\n{text}\n")

    def keep(self) -> None:
        """Remember the corpus and the store as they are now."""
        for path in (self.corpus, self.store):
            shutil.copytree(path, path.with_name(f"{path.name}-kept"))

    def go_back(self) -> None:
        """Bring back what was remembered, at the same paths: a document is identified by its own."""
        for path in (self.corpus, self.store):
            shutil.rmtree(path)
            shutil.copytree(path.with_name(f"{path.name}-kept"), path)

    def run(self, case: Case | None = None, rollback_to: str | None = None) -> tuple[int, list[str], str]:
        """Refresh, or go back; returns the exit code, the ids of all chunks that were stored, and the output."""
        journal = self._journals / f"{len(list(self._journals.iterdir()))}.txt"
        journal.touch()
        given = {
            "flow": "refresh",
            "journal": str(journal),
            "directory": str(self.corpus),
            "rollback_to": rollback_to,
            "case": case.as_arguments() if case else None,
        }
        finished = subprocess.run(
            [sys.executable, "-m", "tests.crash.child", json.dumps(given)],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return finished.returncode, journal.read_text().split(), finished.stdout + finished.stderr


@pytest.fixture(scope="module")
def first_refresh(tmp_path_factory: pytest.TempPathFactory, model_files: Path, prefect_server: str) -> Refreshes:
    """A corpus of three documents whose first generation serves, and a copy of both to go back to."""
    refreshes = Refreshes(tmp_path_factory.mktemp("crash"), model_files, prefect_server)
    for fruit in ("apple", "pear", "plum"):
        refreshes.write(fruit, 4)
    code, _, output = refreshes.run()
    assert code == 0, output
    refreshes.keep()
    return refreshes


@pytest.fixture
def refreshes(first_refresh: Refreshes) -> Refreshes:
    """The first generation serves; since then a document was edited, one deleted, and three were added."""
    first_refresh.go_back()
    first_refresh.write("apple", 5)
    (first_refresh.corpus / "pear.md").unlink()
    for fruit in ("quince", "damson", "mirabelle"):
        first_refresh.write(fruit, 18)  # more chunks than go into one call of `add`
    return first_refresh


def test_a_refresh_converges_after_a_fault(refreshes: Refreshes, refresh_case: Case) -> None:
    with Reader(refreshes.store, DIMENSION) as reader:
        code, embedded_before, output = refreshes.run(refresh_case)
        assert (code == 0) == (refresh_case.fault is Fault.SLOW), output
        code, embedded_after, output = refreshes.run()
        assert code == 0, output

    assert reader.failures == []
    assert reader.mixed == []
    assert reader.searches > 0
    assert_index_is_what_the_manifest_says(refreshes)
    if refresh_case.point.name != "add":
        assert not set(embedded_before) & set(embedded_after), "a chunk that was stored has been embedded again"


@pytest.fixture(scope="module")
def two_generations(first_refresh: Refreshes) -> tuple[Refreshes, str, str]:
    """A corpus whose second generation serves, and the names of both generations."""
    first_refresh.go_back()
    store = open_store(LanceSettings(first_refresh.store))
    first = store.serving()
    assert first is not None
    second = build_beside(store, first)
    store.close()
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
    store = open_store(LanceSettings(refreshes.store))
    store.promote(second)
    write_holds(store, ())
    with Reader(refreshes.store, DIMENSION) as reader:
        code, _, output = refreshes.run(rollback_case, rollback_to=first)
        assert (code == 0) == (rollback_case.fault is Fault.SLOW), output
        code, _, output = refreshes.run(rollback_to=first)
        assert code == 0, output

    assert (reader.failures, reader.mixed) == ([], [])
    serving = store.serving()
    assert serving is not None
    assert serving.generation == first
    assert [hold.generation for hold in holds(store)] == [second], "the next refresh could bring it back"
    store.close()


def assert_index_is_what_the_manifest_says(refreshes: Refreshes) -> None:
    store = open_store(LanceSettings(refreshes.store))
    manifest = store.serving()
    assert manifest is not None
    hashes = {path.name: sha256(path.read_bytes()).hexdigest() for path in refreshes.corpus.iterdir()}
    assert {record.path: record.content_hash for record in manifest.documents.values()} == hashes
    chunks = list(store.chunks(manifest.generation))
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks) == manifest.chunk_count
    per_document = Counter(chunk.document_uri for chunk in chunks)
    assert per_document == {uri: record.chunks for uri, record in manifest.documents.items()}
    assert {other.state for other in store.manifests()} == {"ready"}, "an interrupted build was left behind"
    assert len(store.manifests()) == 1
    store.close()
