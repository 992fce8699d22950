"""Retrieval: from a question to the passages of the knowledge base that may answer it."""

import time
from dataclasses import dataclass

from agents.gateway import ModelGateway
from agents.knowledge.search import Passage
from agents.knowledge.store import Filters
from agents.knowledge_base import KnowledgeBase


@dataclass(frozen=True)
class Retrieval:
    """Passages of one generation, best first, and how long each part took in milliseconds."""

    passages: tuple[Passage, ...]
    generation: str
    embed_ms: float
    search_ms: float


class RagAgent:
    """Embeds questions and searches the serving generation."""

    def __init__(self, gateway: ModelGateway, knowledge: KnowledgeBase) -> None:
        self._gateway = gateway
        self._knowledge = knowledge

    async def retrieve(self, question: str, limit: int, filters: Filters) -> Retrieval:
        """The `limit` best passages for `question`.

        Raises:
            GatewayUnavailable: the question cannot be embedded.
            NoGeneration, EmbeddingMismatch, StoreUnavailable: as for `KnowledgeBase.search`.
        """
        began = time.perf_counter()
        # Without a generation that can be searched the model is not troubled.
        await self._knowledge.serving()
        checked = time.perf_counter()
        vector = await self._gateway.embed(question)
        embedded = time.perf_counter()
        manifest, passages = await self._knowledge.search(question, vector, limit, filters)
        searched = time.perf_counter()
        return Retrieval(
            tuple(passages),
            manifest.generation,
            1000 * (embedded - checked),
            1000 * (checked - began + searched - embedded),
        )
