"""Promotion and rollback while questions are answered: every answer has to be whole, and of one generation."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.search import Passage
from agents.knowledge.store import Filters, KnowledgeStore, StoreUnavailable, UnknownGeneration
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import OpenSearchSettings
from agents.knowledge_base import SERVING_SECONDS, KnowledgeBase, NoGeneration, VectorBy
from bench.synthetic import EMBEDDING, question
from tasks.refresh.building import promote
from tasks.refresh.rollback import roll_back

READERS = 4
PASSAGES = 10


@dataclass
class Answers:
    """How many answers came by generation, how many held passages of another one or too few, and how many failed."""

    moves: int = 0
    by_generation: Counter[str] = field(default_factory=Counter[str])
    mixed: int = 0
    failed: int = 0


def answers_while_moving(
    settings: OpenSearchSettings, fusion: FusionSettings, generations: tuple[str, str], seconds: float
) -> Answers:
    """Promote the one generation and roll back to the other, in turns, while readers ask as the agent service does."""
    return asyncio.run(_ask_and_move(settings, fusion, generations, seconds))


def is_whole(manifest: Manifest, passages: list[Passage], wanted: int) -> bool:
    """Whether an answer has as many passages as wanted, all of them from documents as the manifest has them."""
    return len(passages) == wanted and all(
        passage.generation == manifest.generation
        and passage.chunk.content_hash == manifest.documents[passage.chunk.document_uri].content_hash
        for passage in passages
    )


async def _ask_and_move(
    settings: OpenSearchSettings, fusion: FusionSettings, generations: tuple[str, str], seconds: float
) -> Answers:
    answers, end = Answers(), monotonic() + seconds
    base = KnowledgeBase(settings, fusion, EMBEDDING)
    async with asyncio.TaskGroup() as tasks:
        for reader in range(READERS):
            tasks.create_task(_read(base, answers, reader, end))
        tasks.create_task(_move(open_store(settings), answers, generations, end))
    await base.close()
    return answers


def _asked(vector: Sequence[float]) -> VectorBy:
    async def by(_: EmbeddingIdentity) -> Sequence[float]:
        return vector

    return by


async def _read(base: KnowledgeBase, answers: Answers, reader: int, end: float) -> None:
    number = 1000 * reader
    while monotonic() < end:
        text, vector = question(number)
        number += 1
        try:
            manifest, passages = await base.search(text, _asked(vector), PASSAGES, Filters())
        except (StoreUnavailable, UnknownGeneration, NoGeneration) as error:
            print(f"a question failed: {error}", flush=True)
            answers.failed += 1
            continue
        answers.by_generation[manifest.generation] += 1
        answers.mixed += not is_whole(manifest, passages, PASSAGES)


async def _move(store: KnowledgeStore, answers: Answers, generations: tuple[str, str], end: float) -> None:
    older, newer = generations
    while monotonic() < end:
        if answers.moves % 2:
            await asyncio.to_thread(promote, store, newer)
        else:
            await asyncio.to_thread(roll_back, store, older)
        answers.moves += 1
        # Readers look for another generation once in so long: each is to be seen by them.
        await asyncio.sleep(1.2 * SERVING_SECONDS)
    store.close()
