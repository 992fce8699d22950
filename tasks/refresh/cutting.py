"""Documents read and cut in the process that does it: it opens each source once, and loads the tokenizer once."""

from functools import cache
from pathlib import Path

from agents.knowledge.chunking import ChunkBounds, cut
from agents.knowledge.documents import DocumentRef
from agents.knowledge.parsing import parse
from agents.knowledge.source_opening import open_source
from agents.knowledge.sources import SourceReader
from agents.knowledge.store import Chunk
from agents.knowledge.tokenizer import EmbeddingTokenizer, load_tokenizer
from tasks.environment import REPOSITORY
from tasks.environment.knowledge import Source


def read_document(ref: DocumentRef, source: Source, most_bytes: int) -> bytes:
    """The content of a document of `source`.

    Raises:
        DocumentUnreadable: it is gone, or longer than `most_bytes`.
        SourceError: the source does not answer.
    """
    return _reader(source.name, source.uri, source.include).read(ref, most_bytes)


def cut_document(
    ref: DocumentRef, content: bytes, content_hash: str, bounds: ChunkBounds, tokenizer_file: Path
) -> list[Chunk]:
    """The chunks of a document in order.

    Raises:
        DocumentUnreadable: nothing can be made of the content.
    """
    return cut(ref, parse(ref, content), content_hash, bounds, _tokenizer(tokenizer_file))


@cache
def _reader(name: str, uri: str, include: tuple[str, ...]) -> SourceReader:
    # One client and its connections for all documents that a worker reads from a bucket.
    return open_source(name, uri, include, REPOSITORY)


@cache
def _tokenizer(path: Path) -> EmbeddingTokenizer:
    return load_tokenizer(path)
