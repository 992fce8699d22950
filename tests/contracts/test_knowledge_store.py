"""What every knowledge store does, whichever engine it stands on."""

import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from agents.knowledge.change_record import last_change, record_change
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.search import hybrid_search
from agents.knowledge.store import Chunk, EmbeddedChunk, Filters, Hit, KnowledgeStore, UnknownGeneration
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from tests.contracts.generations import (
    DIMENSION,
    EMBEDDING,
    FIRST_CREATED,
    GUIDE,
    build,
    manifest,
    passage,
    vector,
)

ANYTHING = Filters()
UPGRADE = "file:///docs/upgrade.md"


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.chunk.chunk_id for hit in hits]


def test_a_new_store_serves_nothing(store: KnowledgeStore) -> None:
    assert store.serving() is None
    assert store.manifests() == []


def test_a_generation_is_built_sealed_and_served(
    store: KnowledgeStore, settings: LanceSettings | OpenSearchSettings
) -> None:
    sealed = build(store, "g1")
    assert store.serving() is None
    store.promote("g1")
    assert store.serving() == sealed
    assert store.manifests() == [sealed]
    reader = open_store(settings)
    assert reader.serving() == sealed
    assert sorted(chunk.chunk_id for chunk in reader.chunks("g1")) == sorted(e.chunk.chunk_id for e in GUIDE)
    reader.close()


def test_chunks_come_back_as_they_were_written(store: KnowledgeStore) -> None:
    build(store, "g1")
    assert store.document("g1", UPGRADE) == [GUIDE[0].chunk, GUIDE[1].chunk]
    assert store.document("g1", "file:///docs/missing.md") == []
    assert list(store.chunks("g1")) == list(store.chunks("g1"))


def test_both_legs_rank_and_score(store: KnowledgeStore) -> None:
    build(store, "g1")
    legs = store.search("g1", "KUBEBUILDER_ASSETS", vector("upgrade"), 3, ANYTHING)
    assert ids(legs.lexical) == ["upgrade.md#1"]
    assert legs.lexical[0].score > 0
    assert ids(legs.dense)[:2] == ["upgrade.md#0", "upgrade.md#1"]
    assert [hit.score for hit in legs.dense] == pytest.approx([1, 2**-0.5, 0], abs=1e-3)  # cosine


def test_dense_scores_reach_minus_one(store: KnowledgeStore) -> None:
    build(store, "g1", [passage("a.md", 0, "Something", ["cost"])])
    opposite = [-number for number in vector("cost")]
    assert store.search("g1", "", opposite, 5, ANYTHING).dense[0].score == pytest.approx(-1, abs=1e-3)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("kubebuilder assets", ["upgrade.md#1"]),  # parts of an identifier
        ("prefect.yaml", ["upgrade.md#1"]),
        ("ran the VERSIONS", ["upgrade.md#0"]),  # word endings and case; 'the' is no word to look for
        ("cost", ["cost.html#0"]),  # only in its heading
    ],
)
def test_lexical_leg_reads_english(store: KnowledgeStore, question: str, found: list[str]) -> None:
    build(store, "g1")
    assert ids(store.search("g1", question, vector("network"), 5, ANYTHING).lexical) == found


def test_a_paraphrase_is_found_by_the_dense_leg_and_an_identifier_by_the_lexical_one(store: KnowledgeStore) -> None:
    sealed = build(store, "g1")
    fusion = FusionSettings(method="min_max", dense_weight=0.3, candidates=2)
    paraphrase = hybrid_search(store, sealed, "billing of machines", vector("cost"), EMBEDDING, fusion, 1)[0]
    assert paraphrase.chunk.chunk_id == "cost.html#0"
    assert (paraphrase.lexical, paraphrase.generation) == (None, "g1")
    identifier = hybrid_search(store, sealed, "KUBEBUILDER_ASSETS", vector("network"), EMBEDDING, fusion, 1)
    assert identifier[0].chunk.chunk_id == "upgrade.md#1"
    assert identifier[0].lexical is not None


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(sources=("finance",)), {"cost.html#0"}),
        (Filters(media_types=("text/html", "text/plain")), {"cost.html#0"}),
        (Filters(document_uris=(UPGRADE, "file:///docs/network.md")), {"upgrade.md#0", "upgrade.md#1", "network.md#0"}),
        (Filters(sources=("finance",), media_types=("text/markdown",)), set[str]()),
        (Filters(sources=("it's' OR 1=1 --",)), set[str]()),
    ],
)
def test_filters_hold_in_both_legs(store: KnowledgeStore, filters: Filters, found: set[str]) -> None:
    build(store, "g1")
    legs = store.search("g1", "guide", vector("cost"), 10, filters)  # 'guide' is in every heading
    assert set(ids(legs.lexical)) == found
    assert set(ids(legs.dense)) == found


def test_a_filter_is_applied_before_the_limit(store: KnowledgeStore) -> None:
    chunks = [passage("far.md", 0, "guide", ["network"])]
    chunks += [passage(f"near{n}.md", 0, "guide guide", ["cost"], source="other") for n in range(30)]
    build(store, "g1", chunks)
    legs = store.search("g1", "guide", vector("cost"), 2, Filters(sources=("documentation",)))
    assert ids(legs.lexical) == ids(legs.dense) == ["far.md#0"]


@pytest.mark.parametrize("question", ["", "   ", "the of and", "\x00", '"a" AND (b', "ü" * 50_000])
def test_questions_without_words_find_nothing_by_words(store: KnowledgeStore, question: str) -> None:
    build(store, "g1")
    legs = store.search("g1", question, vector("cost"), 5, ANYTHING)
    assert legs.lexical == []
    assert len(legs.dense) == len(GUIDE)


def test_a_question_of_thousands_of_words_is_answered(store: KnowledgeStore) -> None:
    build(store, "g1")
    question = "gateway " + " ".join(f"word{n}" for n in range(5000))
    assert ids(store.search("g1", question, vector("cost"), 5, ANYTHING).lexical) == ["network.md#0"]


def test_any_script_and_any_sign_survives(store: KnowledgeStore) -> None:
    text = 'Café «naïve» 日本語のテキスト \U0001f680 it\'s "quoted" \\ back\tslash\nnew line'
    written = passage("it's ünïcode 日本.md", 0, text, ["cost"])
    build(store, "g1", [written])
    assert store.document("g1", written.chunk.document_uri) == [written.chunk]
    for question in ("cafe", "naive", "日本語"):
        assert ids(store.search("g1", question, vector("cost"), 5, ANYTHING).lexical) == [written.chunk.chunk_id]


def test_an_empty_generation_is_sealed_served_and_searched(store: KnowledgeStore) -> None:
    build(store, "g1", [])
    store.promote("g1")
    legs = store.search("g1", "anything", vector("cost"), 5, ANYTHING)
    assert (list(legs.lexical), list(legs.dense), list(store.chunks("g1"))) == ([], [], [])
    assert store.chunk_counts("g1") == {}


def test_more_chunks_than_one_page_or_batch_holds(store: KnowledgeStore) -> None:
    chunks = [passage(f"d{n:04}.md", 0, f"word{n}", ["cost"]) for n in range(1100)]
    build(store, "g1", chunks)
    assert sorted(c.chunk_id for c in store.chunks("g1")) == [e.chunk.chunk_id for e in chunks]
    assert len(store.chunk_counts("g1")) == 1100
    store.create(manifest("g2", chunks, age=1))
    assert store.copy("g1", "g2", [e.chunk.document_uri for e in chunks]) == 1100
    store.delete_documents("g2", [e.chunk.document_uri for e in chunks])
    assert store.chunk_counts("g2") == {}


def test_every_verb_can_be_repeated(store: KnowledgeStore) -> None:
    building = manifest("g1", GUIDE)
    for _ in range(2):
        store.create(building)
    for _ in range(2):
        store.add("g1", [*GUIDE, GUIDE[0]])
    store.create(building)
    assert sum(store.chunk_counts("g1").values()) == len(GUIDE)
    for _ in range(2):
        store.seal(building)
    for _ in range(2):
        store.promote("g1")
    store.create(manifest("g2", GUIDE, age=1))
    for _ in range(2):
        assert store.copy("g1", "g2", [UPGRADE]) == 2
    assert store.chunk_counts("g2") == {(UPGRADE, "a" * 64): 2}
    for _ in range(2):
        store.drop("g2")
    assert [kept.generation for kept in store.manifests()] == ["g1"]


def test_adding_a_chunk_again_replaces_it(store: KnowledgeStore) -> None:
    store.create(manifest("g1", GUIDE[:1]))
    store.add("g1", GUIDE[:1])
    edited = EmbeddedChunk(replace(GUIDE[0].chunk, text="Edited"), vector("network"))
    store.add("g1", [edited])
    store.seal(manifest("g1", GUIDE[:1]))
    assert list(store.chunks("g1")) == [edited.chunk]
    assert store.search("g1", "edited", vector("network"), 5, ANYTHING).dense[0].score == pytest.approx(1, abs=1e-3)


def test_copies_keep_text_and_vector(store: KnowledgeStore) -> None:
    build(store, "g1")
    expected = manifest("g2", GUIDE[:2], age=1)
    store.create(expected)
    assert store.copy("g1", "g2", [UPGRADE, "file:///docs/missing.md"]) == 2
    assert store.copy("g1", "g2", []) == 0
    store.seal(expected)
    assert store.document("g2", UPGRADE) == store.document("g1", UPGRADE)
    legs = store.search("g2", "minor version", vector("upgrade"), 5, ANYTHING)
    assert ids(legs.lexical)[0] == ids(legs.dense)[0] == "upgrade.md#0"
    assert legs.dense[0].score == pytest.approx(1, abs=1e-3)


def test_vectors_come_back_as_they_were_written(store: KnowledgeStore) -> None:
    build(store, "g1")
    found = {embedded.chunk.chunk_id: embedded for embedded in store.embedded("g1", [UPGRADE, "file:///docs/no.md"])}
    assert {name: embedded.chunk for name, embedded in found.items()} == {e.chunk.chunk_id: e.chunk for e in GUIDE[:2]}
    for written in GUIDE[:2]:
        assert list(found[written.chunk.chunk_id].vector) == pytest.approx(list(written.vector), abs=1e-6)
    assert list(store.embedded("g1", [])) == []


def test_counts_tell_versions_of_a_document_apart(store: KnowledgeStore) -> None:
    newer = passage("upgrade.md", 7, "A newer version", ["upgrade"], content_hash="b" * 64)
    store.create(manifest("g1", GUIDE))
    store.add("g1", [*GUIDE, newer])
    counts = store.chunk_counts("g1")
    assert counts[UPGRADE, "a" * 64] == 2
    assert counts[UPGRADE, "b" * 64] == 1
    store.delete_documents("g1", [UPGRADE])
    assert {uri for uri, _ in store.chunk_counts("g1")} == {"file:///docs/cost.html", "file:///docs/network.md"}


def test_seal_refuses_another_number_of_chunks(store: KnowledgeStore) -> None:
    building = manifest("g1", GUIDE)
    store.create(building)
    store.add("g1", GUIDE[:3])
    with pytest.raises(ValueError, match=r"'g1' holds 3 chunks, its manifest says 4"):
        store.seal(building)
    with pytest.raises(ValueError, match="still building"):
        store.promote("g1")
    store.add("g1", GUIDE[3:])
    store.seal(building)
    store.promote("g1")


def test_a_sealed_generation_never_changes(store: KnowledgeStore) -> None:
    build(store, "g1")
    for write in (
        lambda: store.add("g1", GUIDE),
        lambda: store.copy("g1", "g1", [UPGRADE]),
        lambda: store.delete_documents("g1", [UPGRADE]),
    ):
        with pytest.raises(ValueError, match="'g1' is sealed"):
            write()


def test_a_vector_of_another_length_is_refused(store: KnowledgeStore) -> None:
    store.create(manifest("g1", GUIDE))
    with pytest.raises(ValueError, match=r"upgrade.md#0"):
        store.add("g1", [EmbeddedChunk(GUIDE[0].chunk, [1.0] * (DIMENSION + 1))])


def test_promotion_goes_forward_and_back(store: KnowledgeStore) -> None:
    older, newer = build(store, "g1"), build(store, "g2", GUIDE[:2], age=1)
    store.promote("g1")
    store.promote("g2")
    assert store.serving() == newer
    assert store.manifests() == [newer, older]
    store.promote("g1")
    assert store.serving() == older


def test_drop_spares_the_serving_generation(store: KnowledgeStore) -> None:
    build(store, "g1")
    store.promote("g1")
    with pytest.raises(ValueError, match="'g1' is serving"):
        store.drop("g1")
    build(store, "g2", age=1)
    store.promote("g2")
    store.drop("g1")
    assert [kept.generation for kept in store.manifests()] == ["g2"]


def test_an_unknown_generation_is_named_with_the_known_ones(store: KnowledgeStore) -> None:
    build(store, "g1")
    for verb in (
        lambda: store.add("g9", GUIDE),
        lambda: store.copy("g1", "g9", [UPGRADE]),
        lambda: store.chunk_counts("g9"),
        lambda: store.delete_documents("g9", [UPGRADE]),
        lambda: store.seal(manifest("g9", GUIDE)),
        lambda: store.promote("g9"),
        lambda: store.search("g9", "text", vector("cost"), 5, ANYTHING),
        lambda: store.document("g9", UPGRADE),
        lambda: list(store.chunks("g9")),
    ):
        with pytest.raises(UnknownGeneration, match=r"'g9' .*'g1'"):
            verb()


@pytest.mark.parametrize("name", ["", "*", "g*", "../manifests/g1", "G1", "g1\n", "manifests", "notes", "g1,g2"])
def test_what_is_no_name_of_a_generation_reaches_none(store: KnowledgeStore, name: str) -> None:
    build(store, "g1")
    for verb in (
        lambda: store.document(name, UPGRADE),
        lambda: store.search(name, "text", vector("cost"), 5, ANYTHING),
    ):
        with pytest.raises(UnknownGeneration):
            verb()
    with contextlib.suppress(UnknownGeneration):
        store.drop(name)
    assert [kept.generation for kept in store.manifests()] == ["g1"]
    assert len(list(store.chunks("g1"))) == len(GUIDE)


def test_a_dropped_generation_can_be_built_again(store: KnowledgeStore) -> None:
    build(store, "g1")
    store.drop("g1")
    with pytest.raises(UnknownGeneration):
        store.document("g1", UPGRADE)
    build(store, "g1", GUIDE[:1])
    assert list(store.chunks("g1")) == [GUIDE[0].chunk]


def test_notes_are_kept_beside_the_generations(
    store: KnowledgeStore, settings: LanceSettings | OpenSearchSettings
) -> None:
    assert store.note("source-changes") is None
    for text in ("first", 'second "quoted" ümlaut\n日本'):
        store.write_note("source-changes", text)
        assert store.note("source-changes") == text
    assert store.note("other") is None
    build(store, "g1")
    store.promote("g1")
    assert [kept.generation for kept in store.manifests()] == ["g1"]
    reader = open_store(settings)
    assert reader.note("source-changes") == store.note("source-changes")
    reader.close()


def test_the_change_record_says_since_when_the_sources_are_as_they_are(store: KnowledgeStore) -> None:
    assert last_change(store) is None
    built = build(store, "g1")
    held = built.versions
    first = record_change(store, held, FIRST_CREATED)
    assert first == last_change(store)
    assert first.is_in(built)
    assert (first.documents, first.changed_at) == (len(held), FIRST_CREATED)

    later = record_change(store, held, FIRST_CREATED + timedelta(hours=1))
    assert (later.seen_at, later.changed_at) == (FIRST_CREATED + timedelta(hours=1), FIRST_CREATED)

    edited = record_change(store, held | {UPGRADE: "b" * 64}, FIRST_CREATED + timedelta(hours=2))
    assert edited.changed_at == edited.seen_at == FIRST_CREATED + timedelta(hours=2)
    assert not edited.is_in(built)
    assert last_change(store) == edited


def test_readers_see_whole_generations_while_others_are_built_and_dropped(
    store: KnowledgeStore, settings: LanceSettings | OpenSearchSettings
) -> None:
    """A reader's hits all come from the generation that it was told of, or it is told to look again."""

    def marked(number: int) -> list[EmbeddedChunk]:
        return [passage(f"d{n}.md", 0, f"guide of g{number}", ["cost"]) for n in range(20)]

    def check(chunks: list[Chunk], generation: str) -> None:
        assert {chunk.text for chunk in chunks} == {f"guide of {generation}"}
        assert len(chunks) == 20

    done = threading.Event()

    def read() -> int:
        reader = open_store(settings)
        answered = 0
        try:
            while not done.is_set():
                serving = reader.serving()
                assert serving is not None
                try:
                    legs = reader.search(serving.generation, "guide", vector("cost"), 20, ANYTHING)
                except UnknownGeneration:
                    continue
                check([hit.chunk for hit in legs.lexical], serving.generation)
                check([hit.chunk for hit in legs.dense], serving.generation)
                answered += 1
        finally:
            reader.close()
        return answered

    build(store, "g0", marked(0))
    store.promote("g0")
    with ThreadPoolExecutor(max_workers=2) as readers:
        reading = [readers.submit(read) for _ in range(2)]
        try:
            for number in range(1, 6):
                build(store, f"g{number}", marked(number), age=number)
                store.promote(f"g{number}")
                store.drop(f"g{number - 1}")
        finally:
            done.set()
        assert all(future.result() for future in reading)
