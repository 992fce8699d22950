"""Plans and builds of generations over the embedded store; vectors are made up, no model runs."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agents.knowledge.building import NothingReadable, begin_generation, finish_generation
from agents.knowledge.carrying import copy_unchanged, stored_chunk_ids, take_over_interrupted
from agents.knowledge.documents import DocumentRef
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.records import DocumentOutcome, GenerationIncomplete, parsed_records
from agents.knowledge.store import Chunk, EmbeddedChunk, KnowledgeStore
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings
from agents.knowledge.sync import Provenance, RefreshPlan, ScannedDocument, plan_refresh

MODEL = EmbeddingIdentity(model="small", fingerprint="f" * 64, dimension=2)
MADE_BY = Provenance({"docs": "file:///docs"}, "1", MODEL, None, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KnowledgeStore]:
    opened = open_store(LanceSettings(tmp_path / "store"))
    yield opened
    opened.close()


def ref(name: str) -> DocumentRef:
    return DocumentRef("docs", f"file:///docs/{name}", name, 1)


def scanned(**versions: str | None) -> list[ScannedDocument]:
    """Documents by name with the content that they hold; None cannot be read."""
    return [ScannedDocument(ref(name), content, None if content else "gone") for name, content in versions.items()]


def planned(store: KnowledgeStore, made_by: Provenance = MADE_BY, **versions: str | None) -> RefreshPlan:
    return plan_refresh(scanned(**versions), store.serving(), store.manifests(), made_by)


def embed(store: KnowledgeStore, generation: str, name: str, content: str) -> None:
    chunk = Chunk(
        f"{name}-{content}", ref(name).uri, "docs", name, name, "text/plain", (), content, 0, 1, 0, content_hash=content
    )
    store.add(generation, [EmbeddedChunk(chunk, [1.0, 0.0])])


def build(store: KnowledgeStore, plan: RefreshPlan, read: Mapping[str, str | None]) -> Manifest:
    """Build what `plan` says; `read` is what the documents to parse held when they were read, None: unreadable."""
    manifest = begin_generation(store, plan, MADE_BY)
    copy_unchanged(store, manifest.generation, plan)
    take_over_interrupted(store, manifest, plan)
    outcomes: dict[str, DocumentOutcome] = {}
    for document in plan.parse:
        content = read[document.ref.path]
        if content is None:
            outcomes[document.ref.uri] = DocumentOutcome(document.ref, None, 0, "gone")
            continue
        embed(store, manifest.generation, document.ref.path, content)
        outcomes[document.ref.uri] = DocumentOutcome(document.ref, content, 1)
    parsed = parsed_records(store, manifest.generation, plan, outcomes)
    sealed = finish_generation(store, manifest, plan, parsed)
    store.promote(sealed.generation)
    return sealed


def test_a_document_that_failed_only_for_a_moment_is_read_again(store: KnowledgeStore) -> None:
    build(store, planned(store, a="1", b="2"), {"a": "1", "b": None})

    again = planned(store, a="1", b="2")

    assert again.already_built is None
    assert [document.ref.path for document in again.parse] == ["b"]
    build(store, again, {"b": "2"})
    assert planned(store, a="1", b="2").changes_nothing


def test_a_document_that_changed_after_it_was_listed_is_what_was_read(store: KnowledgeStore) -> None:
    build(store, planned(store, a="1"), {"a": "2"})

    assert planned(store, a="2").changes_nothing
    assert not planned(store, a="1").changes_nothing


def test_a_sealed_generation_that_was_not_promoted_is_not_built_again(store: KnowledgeStore) -> None:
    first = build(store, planned(store, a="1"), {"a": "1"})
    build(store, planned(store, a="2"), {"a": "2"})

    assert planned(store, a="1").already_built == first
    assert not planned(store, a="1").changes_nothing


def test_an_interrupted_build_of_other_inputs_gives_what_it_has_embedded(store: KnowledgeStore) -> None:
    interrupted = begin_generation(store, planned(store, a="1", b="1"), MADE_BY)
    embed(store, interrupted.generation, "a", "1")
    embed(store, interrupted.generation, "b", "1")

    plan = planned(store, a="1", b="2")
    manifest = begin_generation(store, plan, MADE_BY)
    take_over_interrupted(store, manifest, plan)

    assert stored_chunk_ids(store, manifest.generation, plan) == {"a-1"}
    assert [other.generation for other in store.manifests()] == [manifest.generation]


def test_another_model_shares_nothing(store: KnowledgeStore) -> None:
    build(store, planned(store, a="1"), {"a": "1"})
    other = Provenance(
        MADE_BY.sources, "1", EmbeddingIdentity(model="big", fingerprint="e" * 64, dimension=2), None, None
    )
    plan = planned(store, other, a="1")
    assert plan.base is None
    assert plan.already_built is None
    assert [document.ref.path for document in plan.parse] == ["a"]


def test_a_generation_without_one_passage_is_refused(store: KnowledgeStore) -> None:
    with pytest.raises(NothingReadable, match="none of the 2 documents could be read, such as file:///docs/a: gone"):
        build(store, planned(store, a=None, b="1"), {"b": None})
    assert store.serving() is None


def test_an_index_that_is_not_what_was_read_is_mended_by_the_next_run(store: KnowledgeStore) -> None:
    plan = planned(store, a="1")
    manifest = begin_generation(store, plan, MADE_BY)
    embed(store, manifest.generation, "a", "0")  # by an interrupted run, before the document changed
    with pytest.raises(GenerationIncomplete, match="1 documents, such as 'file:///docs/a'"):
        build(store, plan, {"a": "1"})
    assert build(store, planned(store, a="1"), {"a": "1"}).chunk_count == 1


def test_what_cannot_be_read_has_no_copy_that_can(store: KnowledgeStore) -> None:
    sealed = build(store, planned(store, a="1", b="2", c="2"), {"a": "1", "b": None})

    assert {uri: record.failure for uri, record in sealed.documents.items()} == {
        ref("a").uri: None,
        ref("b").uri: "gone",
        ref("c").uri: "gone",
    }
    assert sealed.copies == {}
    again = planned(store, a="1", b="2", c="2")
    assert [document.ref.path for document in again.parse] == ["b"]
    assert set(build(store, again, {"b": "2"}).copies) == {ref("c").uri}


def test_a_copy_that_can_be_read_no_longer_keeps_what_it_shared(store: KnowledgeStore) -> None:
    build(store, planned(store, a="1", b="1"), {"a": "1"})

    # The one that they both lay under changes at the same time.
    plan = planned(store, a="2", b=None)
    assert [document.ref.path for document in plan.carry] == ["b"]
    kept = build(store, plan, {"a": "2"})

    assert [
        (chunk.path, chunk.text, chunk.content_hash) for chunk in store.document(kept.generation, ref("b").uri)
    ] == [("b", "1", "1")]
    assert kept.documents[ref("b").uri].failure == "gone"
    back = build(store, planned(store, a="2", b="1"), {})
    assert (back.chunk_count, back.copies, back.documents[ref("b").uri].failure) == (2, {}, None)


def test_a_copy_that_changed_and_cannot_be_parsed_keeps_what_it_shared(store: KnowledgeStore) -> None:
    build(store, planned(store, a="1", b="1"), {"a": "1"})

    kept = build(store, planned(store, a="1", b="2"), {"b": None})

    record = kept.documents[ref("b").uri]
    assert (record.content_hash, record.chunks, record.failure) == ("1", 1, "gone")
    assert kept.chunk_count == 2


def test_a_document_that_changes_while_it_is_read_is_no_longer_that_of_its_copies(store: KnowledgeStore) -> None:
    with pytest.raises(GenerationIncomplete, match=r"'file:///docs/a' changed while it was read.*docs/b"):
        build(store, planned(store, a="1", b="1"), {"a": "2"})
    sealed = build(store, planned(store, a="2", b="1"), {"a": "2", "b": "1"})
    assert (sealed.chunk_count, sealed.copies) == (2, {})


def test_documents_of_two_formats_are_never_the_same(store: KnowledgeStore) -> None:
    documents = [ScannedDocument(ref(name), "1") for name in ("a.md", "a.txt", "b.MD")]
    plan = plan_refresh(documents, None, [], MADE_BY)
    assert [document.ref.path for document in plan.parse] == ["a.md", "a.txt"]
    assert [(copy.ref.path, same_as) for copy, same_as in plan.copies] == [("b.MD", ref("a.md").uri)]
