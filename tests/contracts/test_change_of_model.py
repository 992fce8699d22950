"""Another embedding model is another generation, over both stores: answers go on, no question meets foreign vectors."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.search import EmbeddingMismatch
from agents.knowledge.store import Filters, KnowledgeStore
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from agents.knowledge_base import KnowledgeBase
from tasks.refresh.gate import GateFailed
from tasks.refresh.rollback import roll_back
from tasks.refresh.verdicts import NOTE, note_verdict, verdicts
from tests.contracts.generations import EMBEDDING, TOPICS
from tests.contracts.models import MODELS, NEWER, embed_newer
from tests.contracts.small_refreshes import FUSION, SmallKnowledge, embed, question

DOCUMENTS = {f"{topic}.md": f"Read about {topic} here." for topic in TOPICS}
QUESTIONS = [question(f"{topic}.md", f"What of {topic}?", DOCUMENTS[f"{topic}.md"]) for topic in TOPICS]
ASKED_MEANWHILE = 10


class Reader:
    """Asks for `cost` without a word of it, so that vectors alone decide; `seen` are the generations of its answers."""

    def __init__(self, settings: LanceSettings | OpenSearchSettings) -> None:
        self._base = KnowledgeBase(settings, FUSION, NEWER, EMBEDDING)
        self._done = threading.Event()
        self.seen: list[tuple[str, EmbeddingIdentity]] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._ask()))

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def await_answers(self, generation: str) -> None:
        """Wait until some more questions were answered from this generation."""
        before = len(self.seen)
        for _ in range(6000):
            if sum(name == generation for name, _ in self.seen[before:]) >= ASKED_MEANWHILE:
                return
            assert self._thread.is_alive(), "a question was not answered, or from the wrong vectors"
            self._done.wait(0.01)
        raise AssertionError(f"{generation!r} does not answer: {self.seen[before:]!r}")

    async def _ask(self) -> None:
        asked: list[EmbeddingIdentity] = []

        async def vector_by(model: EmbeddingIdentity) -> list[float]:
            asked.append(model)
            return MODELS[model](["cost"])[0]

        try:
            while not self._done.is_set():
                manifest, passages = await self._base.search("whatever", vector_by, 2, Filters())
                assert passages[0].chunk.path == "cost.md"
                assert asked[-1] == manifest.embedding == self._base.embedding
                self.seen.append((manifest.generation, manifest.embedding))
        finally:
            await self._base.close()


@pytest.fixture
def small(store: KnowledgeStore) -> SmallKnowledge:
    """A knowledge base that the former model embedded, when the environment file names the newer one."""
    small = SmallKnowledge(store, QUESTIONS)
    small.documents = dict(DOCUMENTS)
    small.refresh()
    small.embedding, small.embed, small.former = NEWER, embed_newer, {EMBEDDING: embed}
    return small


@pytest.mark.timeout(900)
def test_answers_go_on_through_change_switch_and_rollback(
    small: SmallKnowledge, settings: LanceSettings | OpenSearchSettings
) -> None:
    first = small.serving
    with Reader(settings) as reader:

        def embed_while_others_ask(texts: Sequence[str]) -> list[list[float]]:
            if small.serving == first:
                reader.await_answers(first)
            return embed_newer(texts)

        small.embed = embed_while_others_ask
        report = small.refresh()
        second = report.generation
        assert (report.new, report.embedded, report.copied) == (True, len(DOCUMENTS), 0)
        reader.await_answers(second)
        roll_back(small.store, first)
        reader.await_answers(first)
        assert small.refresh().held is not None, "the model is what was rolled back from"
        roll_back(small.store, second)
        reader.await_answers(second)
    assert set(reader.seen) == {(first, EMBEDDING), (second, NEWER)}


def test_the_gate_asks_each_generation_by_its_own_model(small: SmallKnowledge) -> None:
    # Nothing is known of what serves but what it answers now.
    small.store.write_note(NOTE, "{}")
    verdict = small.refresh().verdict
    assert verdict is not None
    assert verdict.remark is None
    assert {check.name: check.serving for check in verdict.checks if check.serving is not None} == {
        "labelled questions that can be asked": len(QUESTIONS),
        **dict.fromkeys(("recall@5", "context precision@5", "mrr", "ndcg@10"), 1.0),
    }


def test_a_candidate_that_cannot_be_compared_does_not_serve(
    small: SmallKnowledge, settings: LanceSettings | OpenSearchSettings
) -> None:
    first = small.serving
    # One change names another model, forgets the former one, and asks one question more.
    topic = TOPICS[0]
    more = question(f"{topic}.md", f"What else of {topic}?", DOCUMENTS[f"{topic}.md"])
    small.questions = (*small.questions, more.model_copy(update={"id": "more"}))
    small.former = {}
    with pytest.raises(GateFailed, match=r"compared with what serves is 0, demanded: all \d+") as refused:
        small.refresh()
    assert small.serving == first
    candidate = small.store.manifests()[0].generation
    for said in (
        "embedded by 'topics'",
        "have 'topics' in models.catalogue and name it as models.former_embedding",
        f"is to serve without a comparison, run it with rollback_to={candidate}",
    ):
        assert said in str(refused.value)

    async def ask() -> None:
        base = KnowledgeBase(settings, FUSION, NEWER)
        try:
            await base.serving()
        finally:
            await base.close()

    with pytest.raises(EmbeddingMismatch, match=r"embedded by 'topics'.*by 'newer'.*models\.former_embedding"):
        asyncio.run(ask())
    # Whoever names the model has the same candidate examined, of which nothing is embedded again.
    small.former = {EMBEDDING: embed}
    embedded = len(small.embedded)
    assert small.refresh().generation == small.serving == candidate
    assert len(small.embedded) == embedded


def test_a_person_lets_a_candidate_serve_without_a_comparison_and_refreshes_go_on(small: SmallKnowledge) -> None:
    small.store.write_note(NOTE, "{}")
    small.former = {}
    with pytest.raises(GateFailed, match="compared with what serves"):
        small.refresh()
    candidate = small.store.manifests()[0].generation
    roll_back(small.store, candidate)
    assert (small.refresh().generation, small.refresh().held) == (candidate, None)
    small.documents["new.md"] = "Read about something new here."
    report = small.refresh()
    assert (report.new, report.verdict and report.verdict.remark) == (True, None)


def test_scores_that_a_failed_check_kept_from_being_made_are_no_scores(small: SmallKnowledge) -> None:
    known = verdicts(small.store)[small.serving]
    small.former = {}
    note_verdict(small.store, known.model_copy(update={"scores": {}, "best": {}}))
    with pytest.raises(GateFailed, match="was not scored on these questions when it was new"):
        small.refresh()


def test_other_weights_under_the_same_name_cannot_be_named(small: SmallKnowledge) -> None:
    small.store.write_note(NOTE, "{}")
    small.embedding = NEWER.model_copy(update={"model": EMBEDDING.model})
    small.former = {}
    with pytest.raises(GateFailed, match="give the new weights a name of their own in "):
        small.refresh()


def test_sources_that_were_replaced_with_the_model_are_a_first_run(small: SmallKnowledge) -> None:
    small.former = {}
    small.documents = {"other.md": "The storage is durable."}
    small.questions = (question("other.md", "What of storage?", "The storage is durable."),)
    report = small.refresh("other", confirmed=True, replaced=True)
    assert report.new
    assert "holds the evidence of none of these questions" in report.summary


def test_a_first_run_passes_and_its_summary_says_that_nothing_was_compared(store: KnowledgeStore) -> None:
    small = SmallKnowledge(store, QUESTIONS)
    small.documents = dict(DOCUMENTS)
    report = small.refresh()
    assert report.new
    assert "no other generation serves that it could be compared with" in report.summary
