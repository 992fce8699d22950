"""Cuts a parsed document into chunks that follow its structure and fit the embedding model."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from agents.knowledge.documents import DocumentRef, ParsedDocument, Section
from agents.knowledge.parsing import PARSER_VERSION
from agents.knowledge.store import Chunk
from agents.knowledge.tokenizer import EmbeddingTokenizer

# Offsets are into the text that a parser made, so chunks of another parser version are other chunks.
CHUNKER_VERSION = f"1.{PARSER_VERSION}"

# A section that fills less than this part of a chunk says too little by itself to be found.
_TINY = 1 / 4
# What a heading path may take of a chunk before its outer headings are left out.
_HEADING_SHARE = 1 / 4
# A text with more characters than this per token does not occur; it is not worth counting.
_CHARACTERS_PER_TOKEN = 12
# Room for text is rounded down so that this many splitters serve every heading path.
_SPLITTERS = 32
# The headings at the beginning of a section stay with its first piece when they take less than this part of it.
_HEADINGS_KEPT = 8
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")


@dataclass(frozen=True)
class ChunkBounds:
    """Upper bounds in tokens of the embedding model.

    `tokens` is for all that the model reads of one chunk: heading path, text and special tokens.
    `overlap_tokens` is what two chunks of one section share at most; at most half of `tokens`.
    """

    tokens: int
    overlap_tokens: int


def cut(
    ref: DocumentRef,
    document: ParsedDocument,
    content_hash: str,
    bounds: ChunkBounds,
    tokenizer: EmbeddingTokenizer,
) -> list[Chunk]:
    """The chunks of a document in order; each one's text is `document.text[start:end]`.

    Every heading path begins with the document's title. Sections are never joined, except tiny neighbours below
    the same parent. The same input gives the same chunk ids, see `chunk_id`.
    """
    chunks: list[Chunk] = []
    for section in _joined(document, bounds, tokenizer):
        path = _fitting_path(section.heading_path, bounds, tokenizer)
        for start, end in _spans(document.text, section, path, bounds, tokenizer):
            chunks.append(
                Chunk(
                    chunk_id=chunk_id(ref.uri, content_hash, start, end),
                    document_uri=ref.uri,
                    source=ref.source,
                    path=ref.path,
                    title=document.title,
                    media_type=document.media_type,
                    heading_path=path,
                    text=document.text[start:end],
                    start=start,
                    end=end,
                    ordinal=len(chunks),
                    content_hash=content_hash,
                )
            )
    return chunks


def chunk_id(document_uri: str, content_hash: str, start: int, end: int) -> str:
    """SHA-256 of document URI, content hash, chunker version, start and end: its first 32 hexadecimal digits."""
    identity = "\0".join((document_uri, content_hash, CHUNKER_VERSION, str(start), str(end)))
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _joined(document: ParsedDocument, bounds: ChunkBounds, tokenizer: EmbeddingTokenizer) -> Iterator[Section]:
    """The sections below the document's title; tiny neighbours, and a bare heading with what follows it, are one."""
    tiny_tokens = int(bounds.tokens * _TINY)

    def is_tiny(section: Section) -> bool:
        text = document.text[section.start : section.end]
        return len(text) < tiny_tokens * _CHARACTERS_PER_TOKEN and tokenizer.count(text) < tiny_tokens

    pending: Section | None = None
    for own in document.sections:
        path = own.heading_path if own.heading_path[:1] == (document.title,) else (document.title, *own.heading_path)
        section = Section(path, own.start, own.end)
        if pending is None:
            pending = section
        elif _is_bare_heading_of(pending, section, document.text):
            pending = Section(path, pending.start, section.end)
        elif (parent := _shared_parent(pending, section)) and is_tiny(pending) and is_tiny(section):
            pending = Section(parent, pending.start, section.end)
        else:
            yield pending
            pending = section
    if pending is not None:
        yield pending


def _is_bare_heading_of(section: Section, following: Section, text: str) -> bool:
    depth = len(section.heading_path)
    if depth >= len(following.heading_path) or following.heading_path[:depth] != section.heading_path:
        return False
    body = text[section.start : section.end]
    return _end_of_headings(body, section.heading_path) == len(body)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _shared_parent(one: Section, other: Section) -> tuple[str, ...]:
    """The path that both lie directly below, or that one is and the other lies directly below; else empty."""
    pairs = zip(one.heading_path, other.heading_path, strict=False)
    shared = tuple(left for left, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    deepest = max(len(one.heading_path), len(other.heading_path))
    return shared if len(shared) >= deepest - 1 else ()


def _fitting_path(path: tuple[str, ...], bounds: ChunkBounds, tokenizer: EmbeddingTokenizer) -> tuple[str, ...]:
    """The path without its outermost headings, as far as that is needed to leave most of a chunk to the text."""
    share = int(bounds.tokens * _HEADING_SHARE)
    while len(path) > 1 and tokenizer.count(_heading_line(path)) - tokenizer.special_tokens > share:
        path = path[1:]
    return (tokenizer.last(path[0], share), *path[1:]) if len(path) == 1 else path


def _heading_line(path: tuple[str, ...]) -> str:
    return " > ".join(path)


def _spans(
    text: str, section: Section, path: tuple[str, ...], bounds: ChunkBounds, tokenizer: EmbeddingTokenizer
) -> Iterator[tuple[int, int]]:
    """Start and end of every chunk of a section, without white space around it."""
    body = text[section.start : section.end]
    covered = 0
    for offset, piece in _pieces(
        body, section, bounds.tokens - tokenizer.count(f"{_heading_line(path)}\n"), bounds, tokenizer
    ):
        # The first line keeps its indentation, which has a meaning in code and nested lists.
        lead = _BLANK_LINES.match(piece)
        start = offset + (lead.end() if lead else 0)
        end = offset + len(piece.rstrip())
        if end > max(start, covered):
            yield section.start + start, section.start + end
            covered = end


def _pieces(
    body: str, section: Section, room: int, bounds: ChunkBounds, tokenizer: EmbeddingTokenizer
) -> list[tuple[int, str]]:
    if len(body) <= room * _CHARACTERS_PER_TOKEN and _tokens(body, tokenizer) <= room:
        return [(0, body)]
    headings = body[: _end_of_headings(body, section.heading_path)]
    reserved = _tokens(headings, tokenizer)
    if reserved > room // _HEADINGS_KEPT:
        headings, reserved = "", 0
    room -= reserved
    room -= room % max(1, bounds.tokens // _SPLITTERS)
    pieces = tokenizer.split(body[len(headings) :], room, min(bounds.overlap_tokens, room // 2))
    # Headings stay with what follows them: alone they would be a chunk that says nothing.
    return [
        (len(headings) + offset if number else 0, piece if number else headings + piece)
        for number, (offset, piece) in enumerate(pieces)
    ]


def _tokens(text: str, tokenizer: EmbeddingTokenizer) -> int:
    return tokenizer.count(text) - tokenizer.special_tokens


def _end_of_headings(body: str, path: tuple[str, ...]) -> int:
    """How many characters the headings at the beginning of a section take."""
    titles = {_letters(title) for title in path}
    end = 0
    for line in body.splitlines(keepends=True):
        if line.strip() and _letters(line) not in titles:
            break
        end += len(line)
    return end
