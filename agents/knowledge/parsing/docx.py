"""Word (DOCX): paragraphs below their headings, and tables."""

import io
import re
import zipfile

from docx import Document
from docx.opc.exceptions import OpcError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml import etree

from agents.knowledge.documents import DocumentRef, DocumentUnreadable, ParsedDocument
from agents.knowledge.parsing.builder import TextBuilder
from agents.knowledge.parsing.content import recognise

_MOST_UNPACKED_BYTES = 512 * 1024 * 1024
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)


def parse_docx(ref: DocumentRef, content: bytes) -> ParsedDocument:
    """Read a Word document.

    Raises DocumentUnreadable when it is encrypted, damaged, no Word document, or unpacks to more than 512 MiB.
    """
    _check_archive(ref.uri, content)
    try:
        document = Document(io.BytesIO(content))
        builder = TextBuilder()
        for item in document.iter_inner_content():
            _write(item, builder)
        title = _title(document.paragraphs) or document.core_properties.title
    except (OpcError, zipfile.BadZipFile, etree.XMLSyntaxError, KeyError, ValueError) as error:
        raise DocumentUnreadable(ref.uri, f"the Word document is damaged: {error}") from error
    text, sections = builder.finish()
    return ParsedDocument(
        title=title,
        media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        text=text,
        sections=sections,
    )


def _check_archive(uri: str, content: bytes) -> None:
    found = recognise(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentUnreadable(uri, "it is encrypted, or in Word's format before 2007: save it as .docx, unprotected")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        what = found or "not a zip archive"
        raise DocumentUnreadable(uri, f"the content is {what}, not a Word document ({error})") from error
    if "[Content_Types].xml" not in names or not any(name.startswith("word/") for name in names):
        raise DocumentUnreadable(uri, "the content is a zip archive, but no Word document: rename it or leave it out")
    if unpacked > _MOST_UNPACKED_BYTES:
        raise DocumentUnreadable(uri, f"it unpacks to {unpacked} bytes, more than {_MOST_UNPACKED_BYTES}")


def _write(item: Paragraph | Table, builder: TextBuilder) -> None:
    if isinstance(item, Table):
        rows = (" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in item.rows)
        builder.block("\n".join(rows))
        return
    style, text = _style(item), item.text.strip()
    heading = _HEADING.match(style)
    if heading and text:
        builder.heading(int(heading[1]), " ".join(text.split()))
    elif style.startswith("List"):
        builder.block(f"- {text}" if text else "", close_to_previous=True)
    else:
        builder.block(text)


def _style(paragraph: Paragraph) -> str:
    return paragraph.style.name or "" if paragraph.style is not None else ""


def _title(paragraphs: list[Paragraph]) -> str:
    """The first paragraph styled as title, or the only main heading."""
    by_style = {name: [p.text for p in paragraphs if _style(p) == name] for name in ("Title", "Heading 1")}
    if by_style["Title"]:
        return by_style["Title"][0]
    return by_style["Heading 1"][0] if len(by_style["Heading 1"]) == 1 else ""
