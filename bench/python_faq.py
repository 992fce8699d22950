"""Questions that people asked about Python, and their answers: the FAQ of its documentation, as Debian ships it."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from lxml.html import HtmlElement, document_fromstring, tostring

from bench.options import NotMeasurable
from tasks.environment.knowledge import Source

DOCUMENTATION = Path("/usr/share/doc")
PAGES = "python3*-doc/html/faq/*.html"
# Sphinx ends each heading by a link to itself.
PERMALINK = "¶"
HEADINGS = ("h1", "h2", "h3")


@dataclass(frozen=True)
class Entry:
    """A question, the headings above it, and its answer as text and as HTML; an answer does not repeat its question."""

    headings: tuple[str, ...]
    question: str
    answer: str
    html: str


def answered_questions() -> list[Entry]:
    """All entries of the FAQ, in order.

    Raises:
        NotMeasurable: the package is not installed.
    """
    # The package links its pages a second time, by their version.
    pages = {page.resolve(): None for page in sorted(DOCUMENTATION.glob(PAGES))}
    entries = [entry for page in pages for entry in entries_of(page.read_bytes())]
    if not entries:
        raise NotMeasurable("one labelled set is the FAQ of Debian's package python3-doc: apt-get install python3-doc")
    return entries


def entries_of(page: bytes) -> Iterator[Entry]:
    """Each heading of a page that is a question, with what is below it up to the next heading."""
    for section in document_fromstring(page).iter("section"):
        answer = [child for child in section if child.tag not in (*HEADINGS, "section")]
        text = "\n\n".join(_text(child) for child in answer)
        question = _heading(section)
        if question.endswith("?") and text.strip():
            above = [_heading(outer) for outer in section.iterancestors("section")]
            yield Entry(
                tuple(reversed(above)), question, text, "".join(str(tostring(c, encoding="unicode")) for c in answer)
            )


def write_answers(directory: Path, entries: list[Entry]) -> tuple[Source, list[str]]:
    """Write each answer as a page of its own, below the headings of its question; returns the pages' names, too.

    The headings are the page's title: a passage has them in its heading path and not in its text.
    """
    directory.mkdir(parents=True, exist_ok=True)
    names = [f"{number:03d}.html" for number, _ in enumerate(entries)]
    for name, entry in zip(names, entries, strict=True):
        title = escape(" > ".join(entry.headings))
        page = f'<!doctype html><meta charset="utf-8"><title>{title}</title>\n{entry.html}'
        (directory / name).write_text(page, encoding="utf-8")
    return Source(name=directory.name, uri=directory.as_uri()), names


def _heading(section: HtmlElement) -> str:
    heading = next((child for child in section if child.tag in HEADINGS), None)
    return "" if heading is None else _text(heading).rstrip(PERMALINK).strip()


def _text(element: HtmlElement) -> str:
    return str(element.text_content()).strip()
