"""The gate of a refresh, with the embedding model in this process."""

from collections.abc import Sequence

from agents.knowledge.generation import Manifest
from agents.knowledge.store import KnowledgeStore
from agents.knowledge.sync import Provenance
from tasks.ray_data import EmbeddingWork
from tasks.refresh.gate import GateRules, examine
from tasks.refresh.verdicts import Verdict

TEXTS_PER_CALL = 32


def examine_generation(
    store: KnowledgeStore, candidate: Manifest, work: EmbeddingWork, made_by: Provenance, rules: GateRules
) -> Verdict:
    """Compare a sealed generation with its manifest and with what serves; see `examine`.

    Raises:
        EmbeddingFailed: the model failed.
        StoreUnavailable: the store does not answer.
    """
    # A refresh that has nothing to examine does not load the model.
    from tasks.llama_embedder import LlamaEmbedder

    embedder = LlamaEmbedder(work.model_file, work.context_tokens, threads=1)

    def embed(texts: Sequence[str]) -> list[list[float]]:
        parts = (texts[first : first + TEXTS_PER_CALL] for first in range(0, len(texts), TEXTS_PER_CALL))
        return [vector for part in parts for vector in embedder.embed(part)]

    return examine(store, candidate, store.serving(), made_by.embedding, embed, rules)
