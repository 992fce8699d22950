"""What is listed and cannot be read is never lost in silence, over both stores; documents are in memory."""

import pytest

from agents.knowledge.change_record import last_change
from agents.knowledge.copies import document_of
from agents.knowledge.deletions import DeletionsWithheld
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.unread import ReadingWithheld
from tasks.refresh.gate import GateFailed
from tests.contracts.models import NEWER, embed_newer
from tests.contracts.small_refreshes import SmallKnowledge

NAMES = tuple(f"d{n:02}.md" for n in range(30))


@pytest.fixture
def small(store: KnowledgeStore) -> SmallKnowledge:
    """A knowledge base of thirty documents that serves."""
    small = SmallKnowledge(store)
    small.documents = {name: f"The network of {name}." for name in NAMES}
    small.refresh()
    return small


def texts(small: SmallKnowledge, name: str) -> list[str]:
    return [chunk.text for chunk in document_of(small.store, small.serving, f"file:///docs/{name}")]


def test_a_lost_permission_is_no_green_run(small: SmallKnowledge) -> None:
    first = small.serving
    small.unreadable = set(NAMES[:12])
    small.documents[NAMES[0]] = "The network of a new edition."
    with pytest.raises(ReadingWithheld, match=r"12 of 30 documents are listed and cannot be read") as withheld:
        small.refresh()
    assert "d00.md (gone)" in str(withheld.value)
    assert "kms:Decrypt" in str(withheld.value)
    assert len(withheld.value.rows) == 12
    assert small.serving == first
    record, serving = last_change(small.store), small.store.serving()
    assert record is not None
    assert serving is not None
    assert not record.is_in(serving), "what serves counts as older than its sources"

    report = small.refresh(confirmed=True)
    assert (report.new, report.deleted, len(report.unreadable)) == (True, 0, 12)
    assert texts(small, NAMES[0]) == ["The network of d00.md."], "its last version serves"
    # Those are known by now; ten more are not more than ten.
    small.unreadable = set(NAMES[:22])
    assert len(small.refresh().unreadable) == 22


def test_a_source_of_which_nothing_can_be_read_waits_for_a_person_however_small_it_is(store: KnowledgeStore) -> None:
    small = SmallKnowledge(store)
    small.documents = {"network.md": "The network has three zones.", "cost.md": "The cost counts tags."}
    first = small.refresh().generation
    small.unreadable = {"network.md", "cost.md"}
    with pytest.raises(ReadingWithheld, match="that is everything that source 'docs' lists"):
        small.refresh()
    assert small.serving == first
    small.unreadable = {"network.md"}
    assert small.refresh().unreadable.keys() == {"file:///docs/network.md"}
    assert texts(small, "network.md") == ["The network has three zones."]


def test_another_model_does_not_delete_in_silence_what_cannot_be_read(small: SmallKnowledge) -> None:
    small.unreadable = set(NAMES[:12])
    small.refresh(confirmed=True)
    small.embedding, small.embed = NEWER, embed_newer
    with pytest.raises(
        DeletionsWithheld, match=r"would delete 12 of 30 documents .*, or have what it lists be readable"
    ):
        small.refresh()
    small.unreadable = set(NAMES[:2])
    report = small.refresh()
    assert (report.deleted, len(report.unreadable)) == (2, 2)
    assert texts(small, NAMES[0]) == []


def test_a_generation_in_which_parsers_lost_documents_does_not_pass(small: SmallKnowledge) -> None:
    first = small.serving
    small.broken = set(NAMES[:12])
    small.embedding, small.embed = NEWER, embed_newer
    with pytest.raises(
        GateFailed, match=r"documents that hold nothing any more is 12, demanded: at most 10, or 10 % of"
    ):
        small.refresh()
    assert small.serving == first
    small.broken = set(NAMES[:2])
    small.documents["new.md"] = "The network of today."
    assert len(small.refresh().unreadable) == 2


def test_what_a_parser_gave_up_is_read_again_by_another_version_of_it_and_only_then(small: SmallKnowledge) -> None:
    small.documents["new.md"] = "The network of today."
    small.broken, small.broken_by = {"new.md"}, "markdown-it-py 0.1, PyYAML 0.1"
    small.refresh()
    small.broken_by = None
    failed_again = small.refresh()
    assert (failed_again.new, failed_again.embedded, failed_again.copied) == (True, 0, len(NAMES))
    small.broken = set()
    assert small.refresh().generation == failed_again.generation, "the same version makes nothing else of it"

    small.broken, small.broken_by = {"new.md"}, "markdown-it-py 0.1, PyYAML 0.1"
    small.documents["new.md"] = "The network of tomorrow."
    small.refresh()
    small.broken = set()
    mended = small.refresh()
    assert (mended.new, mended.embedded, mended.copied, mended.unreadable) == (True, 1, len(NAMES), {})
    assert texts(small, "new.md") == ["The network of tomorrow."]


def test_what_the_model_refuses_is_tried_every_time_and_costs_no_generation(small: SmallKnowledge) -> None:
    small.documents |= {"new.md": "The network of today.", NAMES[0]: "The network of a new edition."}
    small.refused = {"new.md", NAMES[0]}
    first = small.refresh()
    assert first.unreadable == {f"file:///docs/{name}": "refused" for name in (NAMES[0], "new.md")}
    assert texts(small, NAMES[0]) == ["The network of d00.md."], "its last good version serves on"
    record, serving = last_change(small.store), small.store.serving()
    assert record is not None
    assert serving is not None
    assert record.is_in(serving), "nothing newer is to be had"
    kept = [manifest.generation for manifest in small.store.manifests()]

    again = small.refresh()

    assert (again.new, again.generation, again.unreadable) == (False, first.generation, first.unreadable)
    assert [manifest.generation for manifest in small.store.manifests()] == kept
    small.refused = set()
    mended = small.refresh()
    assert (mended.new, mended.embedded, mended.unreadable) == (True, 2, {})
    assert texts(small, NAMES[0]) == ["The network of a new edition."]
