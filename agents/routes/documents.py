"""GET /v1/documents: a document of a generation as text, with the spans of its chunks."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from agents.assistant import CurrentAssistant
from agents.knowledge.store import Chunk, UnknownGeneration

router = APIRouter()

LONGEST_NAME = 2048
"""Characters of a document's URI; file systems and object stores end far below."""
_LONGEST_GENERATION = 128


@dataclass(frozen=True)
class Span:
    """A chunk's slice `[start:end)` of the document's text."""

    chunk_id: str
    heading_path: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """A document as a generation holds it; citations' offsets count in `text`."""

    uri: str
    source: str
    title: str
    path: str
    media_type: str
    generation: str
    text: str
    chunks: tuple[Span, ...]


@router.get("/v1/documents")
async def document(
    uri: Annotated[str, Query(max_length=LONGEST_NAME)],
    assistant: CurrentAssistant,
    generation: Annotated[str | None, Query(max_length=_LONGEST_GENERATION)] = None,
) -> Document:
    """The document called `uri`, from `generation` (without it, from the serving one)."""
    wanted = generation or (await assistant.knowledge.serving()).generation
    try:
        chunks = await assistant.knowledge.document(wanted, uri)
    except UnknownGeneration as error:
        # The store says where it looked, which is for its operator.
        raise HTTPException(404, f"there is no generation {wanted!r}, or no longer") from error
    if not chunks:
        raise HTTPException(404, f"generation {wanted!r} holds no document {uri!r}")
    first = chunks[0]
    return Document(
        uri=first.document_uri,
        source=first.source,
        title=first.title,
        path=first.path,
        media_type=first.media_type,
        generation=wanted,
        text=stitch(chunks),
        chunks=tuple(Span(chunk.chunk_id, chunk.heading_path, chunk.start, chunk.end) for chunk in chunks),
    )


def stitch(chunks: list[Chunk]) -> str:
    """The text that the chunks were cut from, at the same offsets; between chunks there was only white space."""
    pieces: list[str] = []
    position = 0
    for chunk in sorted(chunks, key=lambda chunk: chunk.start):
        if chunk.start > position:
            gap = chunk.start - position
            pieces.append(("\n" * min(gap, 2)).rjust(gap))
            position = chunk.start
        if chunk.end > position:
            pieces.append(chunk.text[position - chunk.start :])
            position = chunk.end
    return "".join(pieces)
