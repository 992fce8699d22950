"""Questions that people asked about Python, and their answers: the FAQ of its documentation, as Debian ships it."""

from collections.abc import Iterator
from pathlib import Path

from lxml.html import HtmlElement, document_fromstring

from bench.options import NotMeasurable

DOCUMENTATION = Path("/usr/share/doc")
PAGES = "python3*-doc/html/faq/*.html"
# Sphinx ends each heading by a link to itself.
PERMALINK = "¶"


def answered_questions() -> list[tuple[str, str, str]]:
    """The name, the question and the answer of each entry; an answer does not repeat its question.

    Raises:
        NotMeasurable: the package is not installed.
    """
    # The package links its pages a second time, by their version.
    pages = {page.resolve(): None for page in sorted(DOCUMENTATION.glob(PAGES))}
    entries = [entry for page in pages for entry in entries_of(page.read_bytes())]
    if not entries:
        raise NotMeasurable("one labelled set is the FAQ of Debian's package python3-doc: apt-get install python3-doc")
    return [(f"{number:03d}", question, answer) for number, (question, answer) in enumerate(entries)]


def entries_of(page: bytes) -> Iterator[tuple[str, str]]:
    """Each heading of a page that is a question, with the text below it up to the next heading."""
    for section in document_fromstring(page).iter("section"):
        heading = next((child for child in section if child.tag in ("h2", "h3")), None)
        question = "" if heading is None else _text(heading).rstrip(PERMALINK).strip()
        answer = "\n\n".join(_text(child) for child in section if child is not heading and child.tag != "section")
        if question.endswith("?") and answer.strip():
            yield question, answer


def _text(element: HtmlElement) -> str:
    return str(element.text_content()).strip()
