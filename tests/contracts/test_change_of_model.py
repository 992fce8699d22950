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
from tasks.refresh.rollback import roll_back
from tasks.refresh.verdicts import NOTE
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


def test_a_former_model_that_nobody_names_is_asked_nothing(
    small: SmallKnowledge, settings: LanceSettings | OpenSearchSettings
) -> None:
    small.store.write_note(NOTE, "{}")
    small.former = {}
    verdict = small.refresh().verdict
    assert verdict is not None
    assert verdict.remark is not None
    assert "'topics', which models.former_embedding does not name" in verdict.remark
    roll_back(small.store, small.store.manifests()[-1].generation)

    async def ask() -> None:
        base = KnowledgeBase(settings, FUSION, NEWER)
        try:
            await base.serving()
        finally:
            await base.close()

    with pytest.raises(EmbeddingMismatch, match=r"embedded by 'topics'.*by 'newer'.*models\.former_embedding"):
        asyncio.run(ask())
