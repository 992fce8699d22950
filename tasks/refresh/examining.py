"""The gate of a refresh, with the embedding model in this process."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from agents.knowledge.generation import Manifest
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance
from tasks.refresh.gate import GateRules, examine
from tasks.refresh.gate_scores import Embed
from tasks.refresh.ray_data import EmbeddingWork
from tasks.refresh.verdicts import Verdict

if TYPE_CHECKING:
    from tasks.embedding.llama_embedder import LlamaEmbedder

TEXTS_PER_CALL = 32


def examine_generation(
    store: KnowledgeStore, candidate: Manifest, work: EmbeddingWork, made_by: Provenance, rules: GateRules
) -> Verdict:
    """Compare a sealed generation with its manifest and with what serves; see `examine`.

    Raises:
        EmbeddingFailed: the model failed.
        StoreUnavailable: the store does not answer.
    """
    embed = embed_by(lambda: work.model_file, work.context_tokens)
    return examine(store, candidate, store.serving(), made_by.embedding, embed, rules)


def embed_by(file: Callable[[], Path], context_tokens: int) -> Embed:
    """Embeds with a model of this process, which is loaded for the first texts; `file` says then where it is."""

    @cache
    def embedder() -> "LlamaEmbedder":
        # A refresh that has nothing to examine does not load the model.
        from tasks.embedding.llama_embedder import LlamaEmbedder

        return LlamaEmbedder(file(), context_tokens, threads=1)

    def embed(texts: Sequence[str]) -> list[list[float]]:
        parts = (texts[first : first + TEXTS_PER_CALL] for first in range(0, len(texts), TEXTS_PER_CALL))
        return [vector for part in parts for vector in embedder().embed(part)]

    return embed
