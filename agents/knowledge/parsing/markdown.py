"""Markdown: the text is the source itself, so that a quote is verbatim in it; the structure is CommonMark's."""

import re
from itertools import accumulate

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from agents.knowledge.documents import DocumentRef, ParsedDocument
from agents.knowledge.parsing.builder import Heading, sections_below
from agents.knowledge.parsing.content import decode

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def parse_markdown(ref: DocumentRef, content: bytes) -> ParsedDocument:
    """Sections follow the headings outside of lists and quotes; YAML front matter gives only the title."""
    front_title, text = _split_front_matter(decode(ref.uri, content))
    headings = _headings(text)
    first_title = next((heading.title for heading in headings if heading.level == 1), "")
    return ParsedDocument(
        title=front_title or first_title, media_type="text/markdown", text=text, sections=sections_below(headings, text)
    )


def _split_front_matter(text: str) -> tuple[str, str]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return "", text
    try:
        fields = yaml.safe_load(match[1] or "")
    except yaml.YAMLError:
        # A document may open with a thematic break: what follows is then text, and stays in it.
        return "", text
    if not isinstance(fields, dict):
        return "", text
    title: object = fields.get("title")
    return title if isinstance(title, str) else "", text[match.end() :]


def _headings(text: str) -> list[Heading]:
    markdown = MarkdownIt("commonmark")
    # Inline markup outside of headings is of no interest, and takes most of the time.
    markdown.core.ruler.enableOnly(["normalize", "block"])
    offsets = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    tokens = markdown.parse(text)
    found: list[Heading] = []
    for position, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map is not None:
            title = _plain(markdown, tokens[position + 1].content)
            if title:
                found.append(Heading(offsets[token.map[0]], int(token.tag[1]), title))
    return found


def _plain(markdown: MarkdownIt, source: str) -> str:
    tokens: list[Token] = []
    markdown.inline.parse(source, markdown, {}, tokens)
    words = (" " if token.type in ("softbreak", "hardbreak") else _visible(token) for token in tokens)
    return " ".join("".join(words).split())


def _visible(token: Token) -> str:
    return "" if token.type == "html_inline" else token.content
