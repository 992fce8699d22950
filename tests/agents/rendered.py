"""What a program that renders Markdown makes of a text: which elements of it load, link or run something."""

from lxml.html import HtmlElement, document_fromstring
from markdown_it import MarkdownIt

_BLOCKS = {"p", "pre", "ul", "ol", "li", "blockquote", "hr", "h1", "h2", "h3", "h4", "h5", "h6"}
_TABLES = {"table", "thead", "tbody", "tr", "td", "th"}
_HARMLESS = _BLOCKS | _TABLES | {"em", "strong", "s", "code", "br"}


_FRAME = {"html", "body", "div"}


def live_elements(text: str) -> list[str]:
    """The tags in `text`, rendered with raw HTML and tables, that are more than formatting."""
    return [str(node.tag) for node in _rendered(text).iter() if _is_live(node)]


def addresses_outside_code(text: str) -> list[str]:
    """The addresses that a program would make links of by itself, as GitHub's Markdown does."""
    words = (word for piece in _texts(_rendered(text)) for word in piece.split())
    return [word for word in words if "://" in word or "www." in word.lower()]


def _rendered(text: str) -> HtmlElement:
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    return document_fromstring(f"<div>{rendered}</div>")


def _is_live(node: HtmlElement) -> bool:
    if node.tag in _FRAME:
        # A second <html> hands its attributes to the first.
        return bool(node.attrib)
    return not isinstance(node.tag, str) or node.tag not in _HARMLESS


def _texts(element: HtmlElement) -> list[str]:
    if element.tag in ("code", "pre"):
        return [element.tail or ""]
    return [element.text or "", *(piece for child in element for piece in _texts(child)), element.tail or ""]
