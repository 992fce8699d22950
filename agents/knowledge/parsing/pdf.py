"""PDF: the text of its pages, below its outline, or below `Page N` when it has none."""

import io
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import FileNotDecryptedError, PyPdfError
from pypdf.generic import Destination

from agents.knowledge.documents import DocumentRef, DocumentUnreadable, ParsedDocument
from agents.knowledge.parsing.builder import Heading, sections_below
from agents.knowledge.parsing.content import well_formed

# What pypdf lets through when the objects of a damaged file are not of the kind that it expects.
_DAMAGE = (PyPdfError, ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError, RecursionError)


def parse_pdf(ref: DocumentRef, content: bytes) -> ParsedDocument:
    """Read a PDF that opens without a password.

    Raises DocumentUnreadable when it needs one, is damaged, is no PDF, or holds no text (a scan).
    """
    if b"%PDF-" not in content[:1024]:
        raise DocumentUnreadable(ref.uri, "the content is not a PDF: rename it or leave it out")
    try:
        reader = PdfReader(io.BytesIO(content))
        pages = [well_formed(page.extract_text()).strip() for page in reader.pages]
        marks = _outline(reader)
        title = reader.metadata.title if reader.metadata else None
    except FileNotDecryptedError as error:
        raise DocumentUnreadable(ref.uri, "it is encrypted: save it without a password") from error
    except _DAMAGE as error:
        raise DocumentUnreadable(ref.uri, f"the PDF is damaged: {error}") from error
    if not any(pages):
        raise DocumentUnreadable(ref.uri, "its pages hold no text (a scan?): run text recognition first")
    text = "\n\n".join(pages)
    return ParsedDocument(
        title=well_formed(title or ""),
        media_type="application/pdf",
        text=text,
        sections=sections_below(_headings(pages, marks), text),
    )


def _outline(reader: PdfReader) -> dict[int, list[tuple[int, str]]]:
    """Level and title of the outline's entries by page index."""
    marks: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for level, entry in _entries(reader.outline, 1):
        page = reader.get_destination_page_number(entry)
        title = " ".join(well_formed(entry.title or "").split())
        if page is not None and page >= 0 and title:
            marks[page].append((level, title))
    return marks


def _entries(outline: list[Any], level: int) -> Iterator[tuple[int, Destination]]:
    for entry in outline:
        if isinstance(entry, list):
            yield from _entries(entry, level + 1)  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield level, entry


def _headings(pages: list[str], marks: dict[int, list[tuple[int, str]]]) -> list[Heading]:
    """Where the sections start: at the outline's titles where the page's text has them, else at the page."""
    found: list[Heading] = []
    start = 0
    for index, page in enumerate(pages):
        if not marks:
            found.append(Heading(start, 1, f"Page {index + 1}"))
        position = 0
        for level, title in marks.get(index, []):
            words = re.compile(r"\s+".join(map(re.escape, title.split())), re.IGNORECASE)
            if match := words.search(page, position):
                position = match.start()
            found.append(Heading(start + position, level, title))
        start += len(page) + 2
    return found
