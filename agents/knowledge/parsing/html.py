"""HTML: headings, paragraphs, lists, tables and listings; what surrounds the content is dropped."""

import codecs
import re
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from agents.knowledge.documents import DocumentRef, DocumentUnreadable, ParsedDocument
from agents.knowledge.parsing.builder import TextBuilder
from agents.knowledge.parsing.content import decode, document_codec
from agents.knowledge.parsing.html_elements import (
    BLOCKS,
    HEADINGS,
    inline_text,
    is_data_table,
    is_dropped,
    labels_remark,
    table_rows,
    texts,
)

_DECLARED_CHARSET = re.compile(rb"""<(?:meta|\?xml)\b[^>]*?\b(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I)
# How browsers read these labels (WHATWG Encoding Standard, section 4.2).
_BROWSER_ENCODINGS = {
    "iso8859-1": "windows-1252",
    "ascii": "windows-1252",
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
}

# decode() lets no NUL through, so it can stand for <br> until white space has been collapsed.
_LINE_BREAK = "\0"


def parse_html(ref: DocumentRef, content: bytes) -> ParsedDocument:
    """Read HTML in its declared charset (UTF-8 when none is declared).

    Raises DocumentUnreadable when the charset is unknown or the content is not in it.
    """
    text = decode(ref.uri, content, _charset(ref.uri, content))
    # lxml takes no str that declares an encoding, so it gets the bytes of our own decoding.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        root = document_fromstring(text.encode(), parser)
    except etree.ParserError as error:
        raise DocumentUnreadable(ref.uri, "it holds no text") from error
    title = _title(root)
    reader = _Reader()
    reader.read(root)
    text, sections = reader.builder.finish()
    return ParsedDocument(title=title, media_type="text/html", text=text, sections=sections)


def _charset(uri: str, content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8"
    declared = _DECLARED_CHARSET.search(content, 0, 4096)
    if declared is None:
        return "utf-8"
    label = declared[1].decode("ascii", "replace")
    try:
        name = document_codec(label)
        name = _BROWSER_ENCODINGS.get(name, name)
        # Fails for codecs that cannot be what the declaration was read in.
        b"a".decode(name)
    except (LookupError, UnicodeError) as error:
        raise DocumentUnreadable(uri, f"declares the unknown charset {label!r} at byte {declared.start(1)}") from error
    return name


def _title(root: HtmlElement) -> str:
    main_headings = [inline_text(heading) for heading in root.iter("h1")]
    if len(main_headings) == 1 and main_headings[0]:
        return main_headings[0]
    declared = root.find(".//title")
    return inline_text(declared) if declared is not None else ""


@dataclass
class _OpenList:
    numbered: bool
    items: int = 0


class _Reader:
    """Walks a tree once, without recursion, and writes what people read of it."""

    def __init__(self) -> None:
        self.builder = TextBuilder()
        self._inline: list[str] = []
        self._lists: list[_OpenList] = []
        self._marker = ""
        self._close_to_previous = False

    def read(self, root: HtmlElement) -> None:
        """Write all that is below `root`."""
        walk = etree.iterwalk(root, events=("start", "end"))
        for event, element in walk:
            if event == "end":
                self._leave(element)
            elif element.tag == "head" or is_dropped(element) or self._write_whole(element):
                walk.skip_subtree()
            else:
                self._enter(element)
        self._flush()

    def _write_whole(self, element: HtmlElement) -> bool:
        """Write an element that is one unit of text; False when its children are to be walked."""
        tag = str(element.tag)
        if tag in HEADINGS:
            self._flush()
            title = inline_text(element)
            if labels_remark(element):
                self._write(title)
            elif title:
                self.builder.heading(HEADINGS[tag], title)
        elif tag == "pre":
            self._flush()
            self._write("".join(texts(element, "\n")).strip("\n"))
        elif is_data_table(element):
            self._flush()
            self._write("\n".join(table_rows(element)))
        else:
            return False
        return True

    def _enter(self, element: HtmlElement) -> None:
        tag = str(element.tag)
        if tag == "br":
            self._inline.append(_LINE_BREAK)
        elif tag in BLOCKS:
            self._flush()
            if tag in ("ul", "ol"):
                self._lists.append(_OpenList(numbered=tag == "ol"))
            elif tag == "li":
                self._open_item()
            elif tag == "dd":
                self._close_to_previous = True
        self._inline.append(element.text or "")

    def _leave(self, element: HtmlElement) -> None:
        tag = str(element.tag)
        if tag in BLOCKS:
            self._flush()
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            elif tag in ("li", "dd"):
                self._marker, self._close_to_previous = "", False
        self._inline.append(element.tail or "")

    def _open_item(self) -> None:
        if not self._lists:
            self._lists.append(_OpenList(numbered=False))
        innermost = self._lists[-1]
        self._close_to_previous = innermost.items > 0 or len(self._lists) > 1
        innermost.items += 1
        self._marker = f"{innermost.items}. " if innermost.numbered else "- "

    def _flush(self) -> None:
        lines = (" ".join(line.split()) for line in "".join(self._inline).split(_LINE_BREAK))
        self._inline.clear()
        self._write("\n".join(line for line in lines if line))

    def _write(self, text: str) -> None:
        if not text.strip():
            return
        indent = "  " * (len(self._lists) - 1) + self._marker
        self.builder.block(indent + text, self._close_to_previous)
        self._marker, self._close_to_previous = "", False
