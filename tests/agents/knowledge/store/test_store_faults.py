"""What the stores make of trouble that only one of the engines can have."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.knowledge.store import Filters, KnowledgeStore, StoreUnavailable, UnknownGeneration
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from tests.contracts.generations import GUIDE, build, manifest, passage, vector


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KnowledgeStore]:
    opened = open_store(LanceSettings(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def refusing_store() -> Iterator[KnowledgeStore]:
    with socket.socket() as bound_but_deaf:
        bound_but_deaf.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{bound_but_deaf.getsockname()[1]}"
        opened = open_store(OpenSearchSettings(address, "knowledge", shards=1, replicas=0))
        yield opened
        opened.close()


def test_a_server_that_refuses_connections_is_unavailable(refusing_store: KnowledgeStore) -> None:
    store = refusing_store
    for verb in (
        store.serving,
        store.manifests,
        lambda: store.create(manifest("g1", GUIDE)),
        lambda: store.add("g1", GUIDE),
        lambda: store.search("g1", "text", vector("cost"), 5, Filters()),
        lambda: list(store.chunks("g1")),
    ):
        with pytest.raises(StoreUnavailable, match=r"http://127\.0\.0\.1:\d+ does not answer"):
            verb()


def test_a_directory_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a directory")
    with pytest.raises(StoreUnavailable, match="store"):
        open_store(LanceSettings(tmp_path / "store"))


def test_a_lost_table_is_unavailable_not_unknown(store: KnowledgeStore, tmp_path: Path) -> None:
    build(store, "g1")
    shutil.rmtree(tmp_path / "tables" / "g1.lance")
    with pytest.raises(StoreUnavailable, match="g1"):
        store.search("g1", "text", vector("cost"), 5, Filters())


def test_tables_without_manifest_go_with_the_next_build(store: KnowledgeStore, tmp_path: Path) -> None:
    for name in ("g1", "g2"):
        store.create(manifest(name, GUIDE))
        store.add(name, GUIDE)
        (tmp_path / "manifests" / f"{name}.building.json").unlink()
    store.create(manifest("g1", []))
    assert store.chunk_counts("g1") == {}
    assert [path.name for path in (tmp_path / "tables").iterdir()] == ["g1.lance"]


def test_a_seal_that_was_cut_short_after_its_manifest_is_sealed(store: KnowledgeStore, tmp_path: Path) -> None:
    build(store, "g1")
    (tmp_path / "manifests" / "g1.building.json").write_text(manifest("g1", GUIDE).model_dump_json())
    assert [kept.state for kept in store.manifests()] == ["ready"]
    store.promote("g1")


def test_a_pointer_to_a_lost_generation_is_an_error(store: KnowledgeStore, tmp_path: Path) -> None:
    build(store, "g1")
    store.promote("g1")
    (tmp_path / "manifests" / "g1.ready.json").unlink()
    reader = open_store(LanceSettings(tmp_path))
    with pytest.raises(UnknownGeneration, match="'g1'"):
        reader.serving()
    reader.close()


def test_many_writes_leave_few_files(store: KnowledgeStore, tmp_path: Path) -> None:
    chunks = [passage(f"d{n}.md", 0, "guide", ["cost"]) for n in range(70)]
    store.create(manifest("g1", chunks))
    for chunk in chunks:
        store.add("g1", [chunk])
    files = tmp_path / "tables" / "g1.lance" / "data"
    assert len(list(files.iterdir())) < len(chunks)
    store.seal(manifest("g1", chunks))
    assert len(list(files.iterdir())) == 1
