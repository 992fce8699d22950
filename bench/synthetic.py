"""Documents that nobody wrote, with vectors that no model made: as many as wanted, the same ones in every process.

Words follow a Zipf-like law and vectors lie around centres, as those of real texts do, so that neither leg of a search
has it easier than there.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agents.knowledge.documents import DocumentRef
from agents.knowledge.generation import EmbeddingIdentity
from agents.knowledge.records import DocumentOutcome
from agents.knowledge.reuse import reuse_key
from agents.knowledge.store import Chunk, EmbeddedChunk
from agents.knowledge.sync import ScannedDocument
from tasks.environment.knowledge import Source
from tasks.refresh.ray_data import CHUNKS_PER_BATCH, EmbeddedBatch, EmbeddingWork

DIMENSION = 384
CHUNKS_PER_DOCUMENT = 10
WORDS_PER_CHUNK = 150
VOCABULARY = 30_000
CENTRES = 500
# How far a passage lies from its centre: the cosine between two of the same centre is about 0.5.
SPREAD = 1.0
EMBEDDING = EmbeddingIdentity(model="synthetic", fingerprint="0" * 64, dimension=DIMENSION)
SOURCE = Source(name="synthetic", uri="file:///synthetic")


@dataclass(frozen=True)
class SyntheticCorpus:
    """`documents` of ten chunks each; between two editions one document in `edited_one_in` is written anew."""

    documents: int
    edition: int
    edited_one_in: int = 100

    def scanned(self) -> tuple[ScannedDocument, ...]:
        """What a scan of the corpus finds."""
        return tuple(self._scanned(number) for number in range(self.documents))

    def embed(self, work: EmbeddingWork) -> Iterator[EmbeddedBatch]:
        """What the pipeline of a refresh does, without a model: the chunks of the documents of `work`, in batches."""
        fresh: list[Chunk] = []
        reused: list[Chunk] = []
        outcomes: list[DocumentOutcome] = []
        for ref in work.documents:
            chunks = self._chunks(ref)
            outcomes.append(DocumentOutcome(ref, chunks[0].content_hash, len(chunks)))
            for chunk in chunks:
                if chunk.chunk_id not in work.stored:
                    known = reuse_key(ref.uri, chunk.searchable_text) in work.reusable
                    (reused if known else fresh).append(chunk)
            if len(fresh) + len(reused) >= CHUNKS_PER_BATCH:
                yield EmbeddedBatch(_with_vectors(fresh), reused, outcomes)
                fresh, reused, outcomes = [], [], []
        yield EmbeddedBatch(_with_vectors(fresh), reused, outcomes)

    def _scanned(self, number: int) -> ScannedDocument:
        path = f"{number:07d}.txt"
        edition = self.edition if number % self.edited_one_in == 0 else 0
        content_hash = hashlib.sha256(f"{path} {edition}".encode()).hexdigest()
        size = CHUNKS_PER_DOCUMENT * WORDS_PER_CHUNK * 6
        return ScannedDocument(DocumentRef(SOURCE.name, f"{SOURCE.uri}/{path}", path, size), content_hash)

    def _chunks(self, ref: DocumentRef) -> list[Chunk]:
        content_hash = self._scanned(int(ref.path.removesuffix(".txt"))).content_hash
        assert content_hash is not None
        return [_chunk(ref, content_hash, ordinal) for ordinal in range(CHUNKS_PER_DOCUMENT)]


def vectors(texts: Sequence[str]) -> list[list[float]]:
    """Unit-length vectors, the same for the same text, each around one of the centres."""
    return [_vector(text) for text in texts]


def question(number: int) -> tuple[str, list[float]]:
    """The words of a question, and its vector, which lies near one of the centres."""
    text = _words(f"question {number}", 8)
    return text, _vector(text)


def _with_vectors(chunks: Sequence[Chunk]) -> list[EmbeddedChunk]:
    return [EmbeddedChunk(chunk, _vector(chunk.searchable_text)) for chunk in chunks]


def _chunk(ref: DocumentRef, content_hash: str, ordinal: int) -> Chunk:
    text = _words(f"{content_hash} {ordinal}", WORDS_PER_CHUNK)
    start = ordinal * WORDS_PER_CHUNK * 6
    return Chunk(
        chunk_id=hashlib.sha256(f"{ref.uri} {content_hash} {ordinal}".encode()).hexdigest()[:32],
        document_uri=ref.uri,
        source=ref.source,
        path=ref.path,
        title=ref.path,
        media_type="text/plain",
        heading_path=(f"Document {ref.path}",),
        text=text,
        start=start,
        end=start + len(text),
        ordinal=ordinal,
        content_hash=content_hash,
    )


def _words(seed: str, number: int) -> str:
    # The cube of an even number is as often near zero as the first words of a language are heard.
    ranks = (VOCABULARY * _random(seed).random(number) ** 3).astype(int)
    return " ".join(f"word{rank}" for rank in ranks)


def _vector(text: str) -> list[float]:
    random = _random(text)
    noise = random.standard_normal(DIMENSION, dtype=np.float32) * np.float32(SPREAD / DIMENSION**0.5)
    vector = _centres()[int(random.integers(CENTRES))] + noise
    return (vector / np.linalg.norm(vector)).tolist()


@cache
def _centres() -> NDArray[np.float32]:
    centres = np.random.default_rng(0).standard_normal((CENTRES, DIMENSION), dtype=np.float32)
    return centres / np.linalg.norm(centres, axis=1, keepdims=True)


def _random(seed: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))
