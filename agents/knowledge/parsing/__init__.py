"""Documents become text: one parser a family of formats, chosen by the name's ending."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from agents.knowledge.documents import DocumentRef, DocumentUnreadable, ParsedDocument
from agents.knowledge.parsing.content import well_formed
from agents.knowledge.parsing.docx import parse_docx
from agents.knowledge.parsing.html import parse_html
from agents.knowledge.parsing.markdown import parse_markdown
from agents.knowledge.parsing.pdf import parse_pdf
from agents.knowledge.parsing.plain_text import parse_plain_text
from agents.knowledge.parsing.records import parse_csv, parse_json_lines

PARSER_VERSION = "1"

_PARSERS: dict[str, Callable[[DocumentRef, bytes], ParsedDocument]] = {
    ".md": parse_markdown,
    ".markdown": parse_markdown,
    ".txt": parse_plain_text,
    ".text": parse_plain_text,
    ".html": parse_html,
    ".htm": parse_html,
    ".xhtml": parse_html,
    ".pdf": parse_pdf,
    ".docx": parse_docx,
    ".csv": parse_csv,
    ".tsv": parse_csv,
    ".jsonl": parse_json_lines,
    ".ndjson": parse_json_lines,
}


def parse(ref: DocumentRef, content: bytes) -> ParsedDocument:
    """The text and structure of a document; a document without a title gets its file's name as title.

    Raises DocumentUnreadable when the format is not supported, or the content is empty, encrypted,
    mis-encoded, without text, of another format than its name says, or nothing that its parser can take; and when the
    machine has no memory or disk for it, which passes.
    """
    name = PurePosixPath(ref.path)
    parser = _PARSERS.get(name.suffix.lower())
    if parser is None:
        supported = " ".join(_PARSERS)
        reason = f"the format {name.suffix!r} is not supported ({supported} are): leave it out by the source's include"
        raise DocumentUnreadable(ref.uri, reason)
    if not content:
        raise DocumentUnreadable(ref.uri, "the file is empty (0 bytes)")
    try:
        document = parser(ref, content)
    except DocumentUnreadable:
        raise
    except (MemoryError, OSError) as error:
        reason = f"this machine could not read it ({type(error).__name__}: {error}); the next refresh tries it again"
        raise DocumentUnreadable(ref.uri, well_formed(reason), passing=True) from error
    except Exception as error:
        # The libraries raise what they like at bytes that they do not expect, and each of their releases something
        # else; one document must not stop the refresh of all the others.
        reason = f"its parser gave up with {type(error).__name__}: {error}; save it in another way or leave it out"
        raise DocumentUnreadable(ref.uri, well_formed(reason)) from error
    if not document.sections or not document.text.strip():
        raise DocumentUnreadable(ref.uri, "it holds no text")
    return replace(document, title=" ".join(document.title.split()) or name.stem)


__all__ = ["PARSER_VERSION", "DocumentUnreadable", "parse"]
