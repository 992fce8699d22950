"""Two embedding models that count topics: what one says of a topic, the other says of the one before it.

Their vectors have one length: whoever searched a generation by the wrong model would find another document.
"""

from collections.abc import Callable, Mapping, Sequence

from agents.knowledge.generation import EmbeddingIdentity
from tests.contracts.generations import EMBEDDING
from tests.contracts.small_refreshes import embed

Embed = Callable[[Sequence[str]], list[list[float]]]

NEWER = EmbeddingIdentity(model="newer", fingerprint="2" * 64, dimension=EMBEDDING.dimension)


def embed_newer(texts: Sequence[str]) -> list[list[float]]:
    """As `embed`, by the other model."""
    return [[*values[1:], values[0]] for values in embed(texts)]


MODELS: Mapping[EmbeddingIdentity, Embed] = {EMBEDDING: embed, NEWER: embed_newer}
