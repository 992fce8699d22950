"""The knowledge that the service answers from: the serving generation, read from its store."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar

from agents.knowledge.change_record import ChangeRecord, last_change
from agents.knowledge.copies import document_of
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import EmbeddingIdentity, Manifest
from agents.knowledge.search import Passage, hybrid_search, require_embedding
from agents.knowledge.store import Chunk, Filters, KnowledgeStore, StoreUnavailable, UnknownGeneration
from agents.knowledge.store.opening import open_store
from agents.knowledge.store.settings import LanceSettings, OpenSearchSettings
from agents.settings import STORE_SECONDS

SERVING_SECONDS = 1.0
"""How long the service goes on with the generation it knows before it asks the store which one is serving."""


Given = ParamSpec("Given")
Read = TypeVar("Read")
VectorBy = Callable[[EmbeddingIdentity], Awaitable[Sequence[float]]]
"""Makes the vector of one question, by the embedding model that it is given."""


class NoGeneration(Exception):
    """No generation was promoted yet, or it is gone; there is nothing to answer from."""


class KnowledgeBase:
    """Reads the store in threads, for its calls block; opens it when it is first needed.

    Each generation is searched by the model that it was embedded by, which is one of `embeddings` (at least one; the
    first is the present one): while the knowledge base changes its model, and after a rollback, that is another.
    """

    def __init__(
        self, store: LanceSettings | OpenSearchSettings, fusion: FusionSettings, *embeddings: EmbeddingIdentity
    ) -> None:
        self._settings = store
        self._fusion = fusion
        self._embeddings = embeddings
        self._opening: asyncio.Task[KnowledgeStore] | None = None
        self._serving: Manifest | None = None
        self._read_at = 0.0
        self._failed: tuple[float, str] | None = None
        self._lock = asyncio.Lock()

    @property
    def embedding(self) -> EmbeddingIdentity:
        """The model that the next question will most likely be embedded by; nothing is asked of the store."""
        if self._serving is not None and self._serving.embedding in self._embeddings:
            return self._serving.embedding
        return self._embeddings[0]

    async def serving(self) -> Manifest:
        """The manifest of the serving generation, at most `SERVING_SECONDS` old.

        Raises:
            NoGeneration: nothing was promoted yet, or what was promoted is gone.
            EmbeddingMismatch: the generation was embedded by a model that the service does not have.
            StoreUnavailable: the store does not answer.
        """
        began = time.monotonic()
        async with self._lock:
            if self._failed is not None and self._failed[0] >= began:
                # Whoever waited while it was asked in vain does not wait for the same again.
                raise StoreUnavailable(self._failed[1])
            if self._serving is None or time.monotonic() - self._read_at > SERVING_SECONDS:
                try:
                    store = await self._opened()
                    self._serving = await _in_time(store.serving)
                except StoreUnavailable as error:
                    self._failed = time.monotonic(), str(error)
                    raise
                except UnknownGeneration as error:
                    raise NoGeneration(f"what serves is gone: {error}; run the flow 'knowledge'") from error
                self._read_at = time.monotonic()
        if self._serving is None:
            raise NoGeneration("the knowledge base has no generation yet; run the flow 'knowledge' first")
        require_embedding(self._serving, self._embeddings)
        return self._serving

    async def search(
        self, text: str, vector_by: VectorBy, limit: int, filters: Filters
    ) -> tuple[Manifest, list[Passage]]:
        """The `limit` best passages of the serving generation, best first; raises as `serving` and `vector_by` do."""
        manifest = await self.serving()
        try:
            return manifest, await self._search(manifest, text, vector_by, limit, filters)
        except UnknownGeneration:
            # It was replaced and dropped since it was read; the one that replaced it is there.
            self._serving = None
            manifest = await self.serving()
            return manifest, await self._search(manifest, text, vector_by, limit, filters)

    async def document(self, generation: str, uri: str) -> list[Chunk]:
        """All chunks of a document, in order; empty when the generation does not hold it.

        Raises:
            UnknownGeneration: the store does not have it, or no longer.
            StoreUnavailable: the store does not answer.
        """
        store = await self._opened()
        return await _in_time(document_of, store, generation, uri)

    async def last_change(self) -> ChangeRecord | None:
        """What the last look at the sources found; None when nobody looked yet.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        store = await self._opened()
        return await _in_time(last_change, store)

    async def close(self) -> None:
        """Release the store."""
        opening = self._opening
        if opening is None:
            return
        if not opening.done():
            await asyncio.wait({opening})
        if not _came_to_nothing(opening):
            await asyncio.to_thread(opening.result().close)

    async def _search(
        self, manifest: Manifest, text: str, vector_by: VectorBy, limit: int, filters: Filters
    ) -> list[Passage]:
        store = await self._opened()
        model = manifest.embedding
        vector = await vector_by(model)
        # The settings may already be those of a generation that is still being built.
        fusion = manifest.fusion or self._fusion
        return await _in_time(hybrid_search, store, manifest, text, vector, model, fusion, limit, filters)

    async def _opened(self) -> KnowledgeStore:
        if self._opening is None or _came_to_nothing(self._opening):
            self._opening = asyncio.create_task(asyncio.to_thread(open_store, self._settings))
        # All who need it wait for the same opening, which goes on when one of them goes away.
        return await asyncio.shield(self._opening)


def _came_to_nothing(opening: asyncio.Task[KnowledgeStore]) -> bool:
    return opening.done() and (opening.cancelled() or opening.exception() is not None)


async def _in_time(call: Callable[Given, Read], *args: Given.args, **kwargs: Given.kwargs) -> Read:
    try:
        async with asyncio.timeout(STORE_SECONDS):
            return await asyncio.to_thread(call, *args, **kwargs)
    except TimeoutError as error:
        raise StoreUnavailable(f"the store does not answer within {STORE_SECONDS:g} s") from error
