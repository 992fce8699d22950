"""The RAG agent: verifies the knowledge base, and finds its passages that may answer a question."""

import time
from dataclasses import dataclass

from agents.events import KnowledgeVerified
from agents.freshness import FreshnessWatch
from agents.gateway.client import ModelGateway
from agents.knowledge.search import Passage
from agents.knowledge.store import Filters
from agents.knowledge_base import KnowledgeBase
from agents.question_vectors import QuestionVectors


@dataclass(frozen=True)
class Found:
    """Passages of one generation, best first, and how long each part took in milliseconds."""

    passages: tuple[Passage, ...]
    generation: str
    embed_ms: float
    search_ms: float


class Retrieval:
    """One question put to the knowledge base; it is embedded from the beginning, while the knowledge base is verified.

    `close` ends what is still going on.
    """

    def __init__(self, gateway: ModelGateway, knowledge: KnowledgeBase, watch: FreshnessWatch, question: str) -> None:
        self._knowledge = knowledge
        self._watch = watch
        self._question = question
        self._verify_ms = 0.0
        self._vectors = QuestionVectors(gateway, question)
        self._vectors.begin(knowledge.embedding)

    async def verify(self) -> KnowledgeVerified:
        """Check that there is a generation of one of the service's embedding models, and how fresh it is.

        Raises:
            NoGeneration, EmbeddingMismatch, StoreUnavailable: as for `KnowledgeBase.serving`.
        """
        began = time.perf_counter()
        manifest = await self._knowledge.serving()
        self._verify_ms = _since(began)
        return KnowledgeVerified(manifest.generation, self._watch.judge(manifest))

    async def passages(self, limit: int, filters: Filters) -> Found:
        """The `limit` best passages.

        Raises:
            GatewayUnavailable: the question cannot be embedded.
            NoGeneration, EmbeddingMismatch, StoreUnavailable: as for `KnowledgeBase.search`.
        """
        await self._vectors.by(self._knowledge.embedding)
        began = time.perf_counter()
        manifest, passages = await self._knowledge.search(self._question, self._vectors.by, limit, filters)
        search_ms = self._verify_ms + _since(began)
        return Found(tuple(passages), manifest.generation, self._vectors.milliseconds, search_ms)

    async def close(self) -> None:
        """Stop the call of the embedding model when it is still going on."""
        await self._vectors.close()


class RagAgent:
    """Begins retrievals from the serving generation."""

    def __init__(self, gateway: ModelGateway, knowledge: KnowledgeBase, watch: FreshnessWatch) -> None:
        self._gateway = gateway
        self._knowledge = knowledge
        self._watch = watch

    def begin(self, question: str) -> Retrieval:
        """Begin to retrieve for `question`; whoever begins closes."""
        return Retrieval(self._gateway, self._knowledge, self._watch, question)

    async def retrieve(self, question: str, limit: int, filters: Filters) -> Found:
        """The `limit` best passages for `question`; raises as the two verbs of `Retrieval` do."""
        retrieval = self.begin(question)
        try:
            await retrieval.verify()
            return await retrieval.passages(limit, filters)
        finally:
            await retrieval.close()


def _since(began: float) -> float:
    return 1000 * (time.perf_counter() - began)
