"""A passage that the model refuses, with real Ray, llama.cpp and LanceDB: it costs its document alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.knowledge.chunking import ChunkBounds
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings
from agents.knowledge.sync import Provenance
from tasks.embedding.failures import EmbeddingFailed
from tasks.environment.knowledge import Source
from tasks.refresh.building import build, plan
from tasks.refresh.ray_data import EmbeddingWork
from tasks.refresh.scanning import scan

pytestmark = pytest.mark.timeout(900)

MODEL = EmbeddingIdentity(model="all-minilm-l6-v2", fingerprint="f" * 64, dimension=384)
SHORT, LONG = "The pear tree ripens late. ", "The pear tree ripens late. " * 12


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KnowledgeStore]:
    opened = open_store(LanceSettings(tmp_path / "store"))
    yield opened
    opened.close()


@pytest.fixture
def work(tmp_path: Path, model_files: Path) -> EmbeddingWork:
    """Of a model whose context is shorter than the longest passages."""
    library = tmp_path / "library"
    library.mkdir()
    return EmbeddingWork(
        documents=(),
        sources={"library": Source(name="library", uri=library.as_uri())},
        bounds=ChunkBounds(224, 32),
        max_document_bytes=2**20,
        model_file=model_files / MODEL.model / "model.gguf",
        tokenizer_file=model_files / MODEL.model / "tokenizer.json",
        context_tokens=64,
        workers=1,
        stored=frozenset(),
    )


def refresh(store: KnowledgeStore, work: EmbeddingWork) -> Manifest:
    made_by = Provenance({name: source.uri for name, source in work.sources.items()}, "1", MODEL, None, None)
    found = scan(tuple(work.sources.values()), work.max_document_bytes)
    built = build(store, plan(store, found.documents, made_by), work, made_by, lambda _: None)
    store.promote(built.manifest.generation)
    return built.manifest


def texts(store: KnowledgeStore, manifest: Manifest) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for chunk in store.chunks(manifest.generation):
        found.setdefault(chunk.path, []).append(chunk.text)
    return found


def test_a_refused_passage_costs_its_document_alone(store: KnowledgeStore, work: EmbeddingWork, tmp_path: Path) -> None:
    library = tmp_path / "library"
    (library / "pear.txt").write_text("An early edition about pears.")
    refresh(store, work)
    # More passages than one batch has, so that others are stored before or after the one that is refused.
    (library / "pear.md").write_text(
        "\n\n".join(f"## Pear {n}\n\n{SHORT}" for n in range(40)) + f"\n\n## Last\n\n{LONG}"
    )
    (library / "pear.txt").write_text(LONG)
    (library / "apple.md").write_text("# Apples\n\nApples ripen in September.")

    manifest = refresh(store, work)

    held = texts(store, manifest)
    assert sorted(held) == ["apple.md", "pear.txt"]
    assert held["pear.txt"] == ["An early edition about pears."], "its last good version serves on"
    records = {record.path: record for record in manifest.documents.values()}
    failure = records["pear.md"].failure
    assert failure is not None
    assert "passage that begins with 'pear > Last" in failure
    assert "too large to process" in failure
    assert records["pear.txt"].failure is not None
    assert records["apple.md"].failure is None

    mended = refresh(store, replace(work, context_tokens=512))
    assert all(record.failure is None for record in mended.documents.values())
    assert texts(store, mended)["pear.txt"] == [LONG.strip()]


def test_a_model_that_fails_at_everything_fails_the_run(
    store: KnowledgeStore, work: EmbeddingWork, tmp_path: Path
) -> None:
    (tmp_path / "library" / "apple.md").write_text("# Apples\n\nApples ripen in September.")
    with pytest.raises(EmbeddingFailed, match="too large to process"):
        refresh(store, replace(work, context_tokens=2))
    assert store.serving() is None
    assert [manifest.state for manifest in store.manifests()] == ["building"], "the next run takes it up"
