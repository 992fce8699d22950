"""A refresh never makes answers worse, over both stores; documents are in memory and the embedding counts topics."""

import asyncio
from dataclasses import replace

import pytest
import stamina

from agents.knowledge.change_record import last_change
from agents.knowledge.deletions import DeletionsWithheld
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.holds import holds
from agents.knowledge.sources import SourceEmpty
from agents.knowledge.store import Filters, KnowledgeStore, StoreUnavailable, UnknownGeneration
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from agents.knowledge_base import KnowledgeBase
from tasks.refresh.gate import GateFailed, GateRules, examine
from tasks.refresh.rollback import roll_back
from tasks.refresh.verdicts import verdicts
from tests.contracts.generations import EMBEDDING, GUIDE, build, vector, vector_by
from tests.contracts.small_refreshes import FUSION, SmallKnowledge, embed, question

QUESTIONS = (
    question("upgrade.md", "How does an upgrade go?", "An upgrade goes one minor version at a time."),
    question("cost.md", "What does cost count?", "The cost counts tags."),
)
GOOD = {
    "upgrade.md": "An upgrade goes one minor version at a time.",
    "cost.md": "The cost counts tags.",
    "network.md": "The network has three zones.",
}


@pytest.fixture
def small(store: KnowledgeStore) -> SmallKnowledge:
    """A knowledge base whose first generation serves."""
    small = SmallKnowledge(store, QUESTIONS)
    small.documents = dict(GOOD)
    small.refresh()
    return small


def test_a_worse_generation_is_kept_from_readers_and_one_that_was_mended_serves(small: SmallKnowledge) -> None:
    first = small.serving
    small.documents |= {"cost.md": "Nothing to see.", "storage.md": "The storage is durable."}

    with pytest.raises(GateFailed) as refused:
        small.refresh()

    assert small.serving == first
    candidate = small.store.manifests()[0].generation
    assert candidate != first
    assert f"rollback_to={candidate}" in str(refused.value)
    failed = {row["check"]: row for row in refused.value.rows if row["outcome"] == "FAILED"}
    assert failed.keys() == {"recall@5", "context precision@5", "mrr", "ndcg@10"}
    assert (failed["recall@5"]["serving"], failed["recall@5"]["candidate"]) == (1.0, 0.5)
    assert "rank of the evidence of question 'cost'" in {row["check"] for row in refused.value.rows}

    # Nothing has changed: it is examined again, not built again.
    with pytest.raises(GateFailed):
        small.refresh()
    assert [manifest.generation for manifest in small.store.manifests()] == [candidate, first]

    embedded_before = len(small.embedded)
    small.documents["cost.md"] = "The cost counts tags. Every month."
    report = small.refresh()
    assert (report.new, small.serving) == (True, report.generation)
    assert small.embedded[embedded_before:] == ["The cost counts tags. Every month."], "the rest is in the refused one"


def test_refused_generations_are_few_and_take_no_place_of_those_that_served(small: SmallKnowledge) -> None:
    first = small.serving
    small.documents["network.md"] = "The network has four zones."
    second = small.refresh().generation
    for bad in ("Nothing.", "Nothing at all.", "Nothing whatsoever."):
        small.documents["cost.md"] = bad
        with pytest.raises(GateFailed):
            small.refresh()
    generations = [manifest.generation for manifest in small.store.manifests()]
    assert (len(generations), generations[1:]) == (3, [second, first])
    # A person may know better than the scores.
    roll_back(small.store, generations[0])
    assert small.refresh().new is False
    assert small.serving == generations[0]


def test_a_small_loss_is_within_the_tolerance(small: SmallKnowledge) -> None:
    small.tolerance = 0.5
    small.documents["cost.md"] = "Nothing to see."
    report = small.refresh()
    assert report.new
    assert report.verdict is not None
    assert report.verdict.scores["recall@5"] == 0.5
    assert [name for name, _, _ in report.verdict.worse] == ["cost"]


def test_without_labelled_questions_of_these_documents_the_verdict_says_so(store: KnowledgeStore) -> None:
    small = SmallKnowledge(store, QUESTIONS)
    small.documents = {"network.md": "The network has three zones."}
    verdict = small.refresh().verdict
    assert verdict is not None
    assert verdict.passed
    assert verdict.remark is not None
    assert "none of the 2 labelled questions" in verdict.remark
    assert {check.name for check in verdict.checks} >= {"chunks in the index", "probes found by meaning"}


def test_a_generation_that_is_not_what_its_manifest_says_does_not_pass(store: KnowledgeStore) -> None:
    sealed = build(store, "g1")
    rules = GateRules(QUESTIONS, FUSION, 0.05)
    assert examine(store, sealed, None, EMBEDDING, embed, rules).passed
    for wrong, names in (
        (sealed.model_copy(update={"chunk_count": 9}), {"chunks in the index"}),
        (sealed.model_copy(update={"documents": dict(list(sealed.documents.items())[:1])}), {"documents in the index"}),
    ):
        verdict = examine(store, wrong, None, EMBEDDING, embed, rules)
        assert {check.name for check in verdict.checks if not check.passed} == names
    other = EMBEDDING.model_copy(update={"fingerprint": "1" * 64})
    assert not examine(store, sealed, None, other, embed, rules).passed
    # Vectors that another model made than the one that is said to have made them.
    turned = examine(store, sealed, None, EMBEDDING, lambda texts: [vector("storage") for _ in texts], rules)
    assert "probes found by meaning" in {check.name for check in turned.checks if not check.passed}


def test_another_embedding_model_is_compared_by_the_scores_that_were_noted(small: SmallKnowledge) -> None:
    small.embedding = EmbeddingIdentity(model="newer", fingerprint="2" * 64, dimension=EMBEDDING.dimension)
    report = small.refresh()
    assert report.verdict is not None
    assert report.verdict.remark is None
    assert {check.serving for check in report.verdict.checks if check.name == "mrr"} == {1.0}
    assert sorted(verdicts(small.store)) == sorted(manifest.generation for manifest in small.store.manifests())


def test_another_fusion_is_another_generation_that_readers_search_as_it_says(
    small: SmallKnowledge, settings: LanceSettings | OpenSearchSettings
) -> None:
    first = small.serving
    small.fusion = FusionSettings(method="rrf", dense_weight=0.5, candidates=20)
    report = small.refresh()
    assert (report.new, report.embedded, report.copied) == (True, 0, len(GOOD))

    async def best_score() -> float:
        base = KnowledgeBase(settings, FUSION, EMBEDDING)
        try:
            _, passages = await base.search("cost", vector_by("cost"), 1, Filters())
        finally:
            await base.close()
        return passages[0].score

    assert asyncio.run(best_score()) == pytest.approx(2 / 61), "both legs have it first: reciprocal ranks"
    roll_back(small.store, first)
    assert small.refresh().held is not None
    assert asyncio.run(best_score()) == pytest.approx(1)


def test_what_was_rolled_back_from_does_not_come_back_by_itself(small: SmallKnowledge) -> None:
    first = small.serving
    small.documents |= {"cost.md": "The cost counts tags. Wrongly.", "storage.md": "The storage is durable."}
    second = small.refresh().generation

    went = roll_back(small.store, first)

    assert (small.serving, went.left) == (first, second)
    assert [manifest.generation for manifest in went.kept] == [second, first]
    held = small.refresh()
    assert (held.new, small.serving) == (False, first)
    assert held.held is not None
    assert second in held.held
    assert held.held in held.summary
    # Another document is no reason to believe that the bad one is good now.
    small.documents["network.md"] = "The network has four zones."
    assert small.refresh().held is not None
    record = last_change(small.store)
    assert record is not None
    assert not record.is_in(small.store.manifests()[-1]), "the service can see that its sources are ahead of it"

    small.documents["cost.md"] = "The cost counts tags. Rightly."
    mended = small.refresh()
    assert (mended.held, mended.new, small.serving) == (None, True, mended.generation)
    assert small.embedded.count("The storage is durable.") == 1


def test_what_was_rolled_back_from_takes_no_place_of_what_was_good(small: SmallKnowledge) -> None:
    small.kept = 2
    first = small.serving
    small.documents["storage.md"] = "The storage is durable. Wrongly."
    second = small.refresh().generation
    roll_back(small.store, first)
    assert small.refresh().held is not None
    assert _kept(small) == [second, first], "as long as it is held back it is there to go forward to"
    small.documents["storage.md"] = "The storage is durable. Rightly."
    third = small.refresh().generation
    assert _kept(small) == [third, first], "what served before stays, so that running queries finish on it"
    assert holds(small.store) == ()


def test_what_was_rolled_back_from_stays_where_there_is_room(small: SmallKnowledge) -> None:
    first = small.serving
    small.documents["storage.md"] = "The storage is durable. Wrongly."
    second = small.refresh().generation
    roll_back(small.store, first)
    small.documents["storage.md"] = "The storage is durable. Rightly."
    third = small.refresh().generation
    assert _kept(small) == [third, second, first]
    small.documents["more.md"] = "The network has more."
    fourth = small.refresh().generation
    assert _kept(small) == [fourth, third, first]


def _kept(small: SmallKnowledge) -> list[str]:
    return [manifest.generation for manifest in small.store.manifests()]


def test_a_rollback_goes_forward_again_and_names_what_is_kept(small: SmallKnowledge) -> None:
    first = small.serving
    small.documents["cost.md"] = "The cost counts tags. All of them."
    second = small.refresh().generation
    with pytest.raises(UnknownGeneration, match=f"'g9': kept are {second}, {first}"):
        roll_back(small.store, "g9")
    roll_back(small.store, first)
    assert roll_back(small.store, first).left is None
    assert small.refresh().held is not None
    roll_back(small.store, second)
    after = small.refresh()
    assert (after.held, after.new, small.serving) == (None, False, second)


def test_many_deletions_wait_for_a_person(store: KnowledgeStore) -> None:
    small = SmallKnowledge(store)
    small.documents = {f"d{n:02}.md": f"The network of {n}." for n in range(30)}
    first = small.refresh().generation
    # A renamed directory loses nothing.
    small.documents = {f"new/{name}": text for name, text in small.documents.items()}
    embedded_before = len(small.embedded)
    renamed = small.refresh()
    assert (renamed.deleted, renamed.moved, renamed.embedded, renamed.copied) == (0, 30, 0, 30)
    assert len(small.embedded) == embedded_before == 30
    (moved,) = store.embedded(renamed.generation, ["file:///docs/new/d07.md"])
    assert (moved.chunk.path, moved.chunk.text) == ("new/d07.md", "The network of 7.")
    assert list(moved.vector) == pytest.approx(embed([moved.chunk.text])[0], abs=1e-6)
    all_documents = dict(small.documents)

    small.documents = dict(list(all_documents.items())[:18])
    with pytest.raises(DeletionsWithheld, match=r"would delete 12 of 30 documents \(40 %\), such as .*d18") as withheld:
        small.refresh()
    assert len(withheld.value.rows) == 12
    assert small.serving == renamed.generation != first

    small.documents = dict(list(all_documents.items())[:20])
    assert small.refresh().deleted == 10, "ten are not more than ten"
    small.documents = dict(list(all_documents.items())[:3])
    assert small.refresh(confirmed=True).deleted == 17


def test_a_source_that_vanished_waits_for_a_person_however_small_it_was(store: KnowledgeStore) -> None:
    small = SmallKnowledge(store)
    with pytest.raises(SourceEmpty):
        small.refresh()
    small.documents = {"network.md": "The network has three zones."}
    first = small.refresh().generation
    looked_at = last_change(store)
    small.documents = {}
    with pytest.raises(DeletionsWithheld, match="source 'docs' is empty"):
        small.refresh()
    assert (small.serving, last_change(store)) == (first, looked_at), "a look at nothing is no look at the sources"


def test_other_sources_that_a_person_gives_replace_those_before(store: KnowledgeStore) -> None:
    small = SmallKnowledge(store)
    small.documents = {f"d{n:02}.md": f"The network of {n}." for n in range(30)}
    small.refresh()
    small.documents = {"mine.md": "My storage."}
    with pytest.raises(DeletionsWithheld):
        small.refresh("mine")
    assert small.refresh("mine", replaced=True).deleted == 30


def test_documents_of_a_source_with_another_name_are_found_by_it_and_not_embedded_again(store: KnowledgeStore) -> None:
    small = SmallKnowledge(store, QUESTIONS)
    small.documents = dict(GOOD)
    small.refresh()
    embedded = list(small.embedded)

    renamed = small.refresh("handbook", at="docs")

    assert (renamed.deleted, renamed.embedded, renamed.copied, small.embedded) == (0, 0, 3, embedded)
    assert {chunk.source for chunk in store.chunks(small.serving)} == {"handbook"}
    serving = store.serving()
    assert serving is not None
    assert {record.source for record in serving.documents.values()} == {"handbook"}
    found = store.search(small.serving, "cost", vector("cost"), 3, Filters(sources=("handbook",)))
    assert found.lexical[0].chunk.path == "cost.md"
    del small.documents["cost.md"]
    with pytest.raises(GateFailed):
        small.refresh("handbook", at="docs")


def test_readers_get_whole_answers_while_generations_are_promoted_and_rolled_back(
    store: KnowledgeStore, settings: LanceSettings | OpenSearchSettings
) -> None:
    """The service's own readers ask all the time; each answer is of one generation, and none fails."""
    for name in ("g1", "g2", "g3"):
        chunks = [replace(e, chunk=replace(e.chunk, text=f"{e.chunk.text} ({name})")) for e in GUIDE]
        build(store, name, chunks, age=int(name[1]))
    store.promote("g1")
    seen: dict[str, list[str]] = {"ada": [], "bob": []}

    async def ask(base: KnowledgeBase, reader: str, done: asyncio.Event) -> None:
        while not done.is_set():
            try:
                manifest, passages = await base.search("guide", vector_by("cost"), 4, Filters())
            except StoreUnavailable as error:
                # On a busy machine the store may take longer than the service has patience.
                if "does not answer within" in str(error):
                    continue
                raise
            assert len(passages) == len(GUIDE)
            assert {passage.chunk.text[-4:] for passage in passages} == {f"({manifest.generation})"}
            seen[reader].append(manifest.generation)

    async def move(done: asyncio.Event) -> None:
        try:
            for name in ("g2", "g1", "g3", "g2", "g3"):
                await asyncio.to_thread(roll_back, store, name)
                async for attempt in stamina.retry_context(on=AssertionError, timeout=120, attempts=None, wait_max=0.1):
                    with attempt:
                        assert {generations[-1] for generations in seen.values() if generations} == {name}
            await asyncio.to_thread(store.drop, "g1")
        finally:
            done.set()

    async def load() -> None:
        base, done = KnowledgeBase(settings, FUSION, EMBEDDING), asyncio.Event()
        try:
            await asyncio.gather(*(ask(base, reader, done) for reader in seen), move(done))
        finally:
            await base.close()

    asyncio.run(load())
    assert all(set(generations) >= {"g1", "g2", "g3"} for generations in seen.values())
