"""What HTML elements mean for a reader: which are dropped, which begin a line, which text they hold."""

from collections.abc import Iterator

from lxml import etree
from lxml.html import HtmlElement

_SCRIPTS = frozenset({"script", "style", "noscript", "template"})
_CONTROLS = frozenset({"nav", "button", "select", "textarea", "input"})
_PICTURES = frozenset({"svg", "math", "iframe", "object", "canvas", "audio", "video"})
_DROPPED = _SCRIPTS | _CONTROLS | _PICTURES
_PAGE_FRAME = frozenset({"header", "footer", "aside"})
_FRAME_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary"})
_FRAME_CLASSES = frozenset({"navheader", "navfooter", "toc", "breadcrumb", "breadcrumbs", "headerlink"})

# A heading directly inside one of these labels a remark; what follows the remark is not below it.
_REMARKS = frozenset({"blockquote", "aside", "figure", "figcaption", "li", "dd", "td", "th"})
_REMARK_CLASSES = frozenset({"note", "tip", "warning", "caution", "important", "danger", "admonition", "sidebar"})

HEADINGS = {f"h{level}": level for level in range(1, 7)}
_REGIONS = frozenset({"html", "body", "main", "article", "section", "header", "footer", "aside", "div", "form"})
_PARAGRAPHS = frozenset({"p", "blockquote", "address", "center", "hr", "details", "summary", "fieldset"})
_FIGURES = frozenset({"figure", "figcaption", "caption"})
_LISTS = frozenset({"ul", "ol", "li", "dl", "dt", "dd"})
_TABLES = frozenset({"table", "thead", "tbody", "tfoot", "tr", "td", "th"})
BLOCKS = _REGIONS | _PARAGRAPHS | _FIGURES | _LISTS | _TABLES | frozenset(HEADINGS) | {"pre"}

# A table that holds these lays out a page, its cells are no data.
_NOT_IN_DATA = ("table", "ul", "ol", *HEADINGS)


def inline_text(element: HtmlElement) -> str:
    """All text of an element on one line."""
    return " ".join("".join(texts(element, " ")).split())


def texts(element: HtmlElement, line_break: str) -> Iterator[str]:
    """The text inside `element`, without what is dropped; blocks inside it are parted by `line_break`."""
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, node in walk:
        if event == "end":
            if node is not element:
                yield (line_break if node.tag in BLOCKS else "") + (node.tail or "")
        elif node.tag == "br":
            yield line_break
        elif is_dropped(node):
            walk.skip_subtree()
        else:
            yield node.text or ""


def is_data_table(element: HtmlElement) -> bool:
    """Whether an element is a table whose rows can be written as lines."""
    return element.tag == "table" and next(element.iterdescendants(*_NOT_IN_DATA), None) is None


def table_rows(table: HtmlElement) -> list[str]:
    """The caption and the rows of a table, one line each."""
    caption = table.find("caption")
    lines = [inline_text(caption)] if caption is not None else []
    for row in table.iter("tr"):
        cells = [inline_text(cell) for cell in row.iterchildren("td", "th")]
        if any(cells):
            lines.append(" | ".join(cells))
    return lines


def is_dropped(element: HtmlElement) -> bool:
    """Whether an element is not part of what the document says: scripts, controls, navigation, the page's frame."""
    tag = element.tag
    if tag in _DROPPED or element.get("hidden") is not None or element.get("role") in _FRAME_ROLES:
        return True
    if tag in _PAGE_FRAME:
        return not any(parent.tag in ("article", "main") for parent in element.iterancestors())
    return _has_class(element, _FRAME_CLASSES)


def labels_remark(heading: HtmlElement) -> bool:
    """Whether a heading is the label of a note, a quote or a list item instead of opening a section."""
    parent = heading.getparent()
    return parent is not None and (parent.tag in _REMARKS or _has_class(parent, _REMARK_CLASSES))


def _has_class(element: HtmlElement, names: frozenset[str]) -> bool:
    classes = element.get("class")
    return classes is not None and not names.isdisjoint(classes.split())
