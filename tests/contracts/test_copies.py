"""Documents with the same content are embedded and stored once, over both stores, and each of them is still found."""

import asyncio
from collections.abc import Mapping

import pytest

from agents.knowledge.copies import document_of
from agents.knowledge.deletions import DeletionsWithheld
from agents.knowledge.generation import DocumentRecord
from agents.knowledge.search import Passage, hybrid_search
from agents.knowledge.store import Filters, KnowledgeStore
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from agents.knowledge_base import KnowledgeBase
from tasks.refresh.rollback import roll_back
from tests.contracts.generations import EMBEDDING, GUIDE, build, manifest, vector, vector_by
from tests.contracts.small_refreshes import FUSION, URI, SmallKnowledge, question

COST = "The cost counts tags."
NETWORK = "The network has three zones."


@pytest.fixture
def small(store: KnowledgeStore) -> SmallKnowledge:
    """A knowledge base that serves a document twice, of which the labelled question names the second address."""
    small = SmallKnowledge(store, [question("cost.md", "What does cost count?", COST)])
    small.documents = {"a/cost.md": COST, "cost.md": COST, "network.md": NETWORK}
    report = small.refresh()
    assert (report.documents, report.copies, report.chunks, report.embedded) == (3, 1, 2, 2)
    assert report.verdict is not None
    assert report.verdict.scores["recall@5"] == 1.0
    return small


def answers(small: SmallKnowledge) -> Mapping[str, str]:
    """What serves, by the document's name."""
    serving = small.store.serving()
    assert serving is not None
    found = {uri.removeprefix(URI): document_of(small.store, serving.generation, uri) for uri in serving.documents}
    assert sum(small.store.chunk_counts(serving.generation).values()) == len(set(small.documents.values()))
    for name, chunks in found.items():
        assert {(chunk.document_uri, chunk.path) for chunk in chunks} == {(URI + name, name)}
    return {name: chunk.text for name, (chunk,) in found.items()}


@pytest.mark.parametrize("gone", ["a/cost.md", "cost.md"])
def test_when_one_copy_is_deleted_the_other_stays(small: SmallKnowledge, gone: str) -> None:
    assert answers(small) == small.documents
    del small.documents[gone]
    report = small.refresh()
    assert (report.embedded, report.copies, report.deleted) == (0, 0, 1)
    assert answers(small) == small.documents


@pytest.mark.parametrize("edited", ["a/cost.md", "cost.md"])
def test_when_one_copy_is_edited_the_other_stays(small: SmallKnowledge, edited: str) -> None:
    small.tolerance = 1  # the evidence is what is edited
    small.documents[edited] = "The cost counts tags. Every month."
    report = small.refresh()
    assert (report.embedded, report.copies) == (1, 0)
    assert answers(small) == small.documents
    # It was undone: one of both is enough again.
    small.documents[edited] = COST
    report = small.refresh()
    assert (report.embedded, report.copies) == (0, 1)
    assert answers(small) == small.documents


def test_copies_come_and_move_without_embedding(small: SmallKnowledge) -> None:
    small.documents["0.md"] = COST
    report = small.refresh()
    assert (report.embedded, report.copies) == (0, 2)
    assert answers(small) == small.documents
    small.documents = {f"moved/{name}": text for name, text in small.documents.items()}
    report = small.refresh()
    assert (report.embedded, report.copies, report.deleted, report.moved) == (0, 2, 0, 4)
    assert answers(small) == small.documents


def test_a_copy_that_cannot_be_read_for_a_while_is_answered_from(small: SmallKnowledge) -> None:
    small.unreadable = {"cost.md"}
    small.documents["a/cost.md"] = "The cost counts nodes."
    report = small.refresh()
    assert list(report.unreadable) == [f"{URI}cost.md"]
    assert answers(small) == small.documents
    small.unreadable = set()
    small.documents["a/cost.md"] = COST
    assert small.refresh().copies == 1
    assert answers(small) == small.documents
    assert len(small.embedded) == 3


def test_copies_count_as_documents_for_guard_and_hold(store: KnowledgeStore) -> None:
    small = SmallKnowledge(store)
    small.documents = {f"d{n:02}.md": NETWORK for n in range(30)}
    first = small.refresh()
    assert (first.documents, first.chunks, first.copies) == (30, 1, 29)
    everything = dict(small.documents)
    small.documents = dict(list(everything.items())[18:])
    with pytest.raises(DeletionsWithheld, match=r"would delete 18 of 30 documents"):
        small.refresh()
    second = small.refresh(confirmed=True)
    assert second.deleted == 18
    roll_back(store, first.generation)
    assert small.refresh(confirmed=True).held is not None
    small.documents = everything
    assert answers(small) == everything


def test_a_filter_finds_a_copy_under_the_address_that_it_asks_for(store: KnowledgeStore) -> None:
    build(store, "g1")
    cost = GUIDE[2].chunk
    copy = DocumentRecord(
        source="archive", path="old.html", content_hash=cost.content_hash, chunks=0, same_as=cost.document_uri
    )
    sealed = manifest("g1", GUIDE)
    sealed = sealed.model_copy(update={"documents": {**sealed.documents, "file:///archive/old.html": copy}})

    def found(**filters: tuple[str, ...]) -> list[Passage]:
        query = ("guide", vector("cost"), EMBEDDING, FUSION, 10, Filters(**filters))
        return hybrid_search(store, sealed, *query)

    def sources(passages: list[Passage]) -> set[tuple[str, str]]:
        return {(passage.chunk.source, passage.chunk.path) for passage in passages}

    own = {("finance", "cost.html")}
    documentation = {("documentation", "upgrade.md"), ("documentation", "network.md")}
    asked = {("archive", "old.html")}
    assert sources(found()) == own | documentation
    assert sources(found(sources=("finance",))) == own
    assert sources(found(sources=("archive",))) == asked
    assert sources(found(sources=("archive", "documentation"))) == asked | documentation
    assert sources(found(sources=("archive", "finance"))) == own
    assert sources(found(document_uris=("file:///archive/old.html",))) == asked
    assert sources(found(document_uris=(cost.document_uri,), sources=("archive",))) == set()
    assert sources(found(sources=("archive",), media_types=("text/markdown",))) == set()
    (passage,) = found(sources=("archive",))
    assert (passage.chunk.document_uri, passage.chunk.text) == ("file:///archive/old.html", cost.text)


def test_the_service_shows_a_copy(small: SmallKnowledge, settings: LanceSettings | OpenSearchSettings) -> None:
    async def ask() -> None:
        base = KnowledgeBase(settings, FUSION, EMBEDDING)
        try:
            filters = Filters(document_uris=(f"{URI}cost.md",))
            serving, (passage,) = await base.search("cost", vector_by("cost"), 5, filters)
            assert passage.chunk.path == "cost.md"
            shown = await base.document(serving.generation, passage.chunk.document_uri)
            assert [(chunk.path, chunk.text) for chunk in shown] == [("cost.md", COST)]
            assert await base.document(serving.generation, f"{URI}absent.md") == []
        finally:
            await base.close()

    asyncio.run(ask())
