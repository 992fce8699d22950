"""Plain text: one section without a heading."""

from agents.knowledge.documents import DocumentRef, ParsedDocument, Section
from agents.knowledge.parsing.content import decode


def parse_plain_text(ref: DocumentRef, content: bytes) -> ParsedDocument:
    """The text as it is."""
    text = decode(ref.uri, content)
    return ParsedDocument(title="", media_type="text/plain", text=text, sections=(Section((), 0, len(text)),))
