"""What a program that renders Markdown makes of a text: which elements of it load, link or run something."""

from lxml.html import HtmlElement, fragments_fromstring
from markdown_it import MarkdownIt

_BLOCKS = {"p", "pre", "ul", "ol", "li", "blockquote", "hr", "h1", "h2", "h3", "h4", "h5", "h6"}
_TABLES = {"table", "thead", "tbody", "tr", "td", "th"}
_HARMLESS = _BLOCKS | _TABLES | {"em", "strong", "s", "code", "br"}


def live_elements(text: str) -> list[str]:
    """The tags in `text`, rendered with raw HTML and tables, that are more than formatting."""
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    fragments = fragments_fromstring(rendered)
    elements = [node for fragment in fragments if isinstance(fragment, HtmlElement) for node in fragment.iter()]
    return [str(node.tag) for node in elements if not isinstance(node.tag, str) or node.tag not in _HARMLESS]


def addresses_outside_code(text: str) -> list[str]:
    """The addresses that a program would make links of by itself, as GitHub's Markdown does."""
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    fragments = fragments_fromstring(f"<div>{rendered}</div>")
    pieces = [piece for fragment in fragments if isinstance(fragment, HtmlElement) for piece in _texts(fragment)]
    return [word for piece in pieces for word in piece.split() if "://" in word or "www." in word.lower()]


def _texts(element: HtmlElement) -> list[str]:
    if element.tag in ("code", "pre"):
        return [element.tail or ""]
    return [element.text or "", *(piece for child in element for piece in _texts(child)), element.tail or ""]
