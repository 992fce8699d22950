"""What a source holds: references to documents, and what parsing makes of one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DocumentRef:
    """One document as its source lists it; nothing of its content has been interpreted yet.

    `uri` is the document's identity across refreshes (`file:///.../guide.md` or `s3://bucket/key`);
    `path` is relative to the root of the source, with forward slashes.
    """

    source: str
    uri: str
    path: str
    size_bytes: int


@dataclass(frozen=True)
class Section:
    """A run of a document's text below one heading.

    `heading_path` goes from the outermost heading to the innermost; it is empty before the first
    heading. `start` and `end` are character offsets into `ParsedDocument.text`, end excluded.
    """

    heading_path: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class ParsedDocument:
    """The text of a document, as people read it, and its sections in order, without gaps that hold text."""

    title: str
    media_type: str
    text: str
    sections: tuple[Section, ...]


class DocumentUnreadable(Exception):
    """One document cannot become text; `reason` says why in a form that a report can show.

    The document is skipped and reported; the rest of its source is not affected. `passing` says that the machine was to
    blame and not the document.
    """

    def __init__(self, uri: str, reason: str, passing: bool = False) -> None:
        super().__init__(uri, reason, passing)
        self.uri = uri
        self.reason = reason
        self.passing = passing

    def __str__(self) -> str:
        return f"{self.uri}: {self.reason}"
