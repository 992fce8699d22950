"""The documents that golden questions are about: their text, and the sections that a question could be asked of."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from agents.knowledge.documents import DocumentUnreadable, Section
from agents.knowledge.parsing import parse
from agents.knowledge.source_opening import open_source
from agents.knowledge.sources import MEBIBYTE
from tasks.environment import REPOSITORY
from tasks.environment.knowledge import Knowledge, Source
from tasks.golden.dataset import Evidence


class UnknownDocument(Exception):
    """No source holds a document that was named."""


@dataclass(frozen=True)
class GoldenDocument:
    """A document by its path within its source; `sections` are those that say more than their heading."""

    path: str
    text: str
    sections: tuple[Section, ...]

    def problem(self, quote: str) -> str | None:
        """Why the document does not prove what `quote` says; None when it does."""
        times = self.text.count(quote)
        if times != 1:
            return (
                f"{self.path} does not hold {quote!r}" if times == 0 else f"{self.path} holds {quote!r} {times} times"
            )
        return f"{quote!r} spans paragraphs of {self.path}" if "\n\n" in quote else None

    def sections_of(self, quotes: Collection[str]) -> tuple[Section, ...]:
        """The sections in which one of the quotes lies, in order."""
        places = [place for quote in quotes if (place := self.text.find(quote)) >= 0]
        return tuple(each for each in self.sections if any(each.start <= place < each.end for place in places))


@dataclass(frozen=True)
class GoldenDocuments:
    """The documents by path, and of each that cannot be read a line that says why."""

    by_path: dict[str, GoldenDocument]
    unreadable: tuple[str, ...]

    def problem(self, evidence: Evidence) -> str | None:
        """Why the evidence does not hold; None when it does."""
        document = self.by_path.get(evidence.document)
        if document is None:
            return f"no source holds a readable document {evidence.document!r}"
        return document.problem(evidence.quote)


def read_documents(knowledge: Knowledge, only: Collection[str] | None = None) -> GoldenDocuments:
    """Every document of the sources, or `only` those of the given paths; of one path the first source's.

    Raises:
        UnknownDocument: no source lists one of `only`.
        SourceError: a source cannot be used.
    """
    listed: set[str] = set()
    documents: dict[str, GoldenDocument] = {}
    unreadable: list[str] = []
    for path, read in chain.from_iterable(_read(knowledge, source, only, listed) for source in knowledge.sources):
        if isinstance(read, GoldenDocument):
            documents[path] = read
        else:
            unreadable.append(read)
    missing = sorted(set(only or ()) - listed)
    if missing:
        names = ", ".join(source.name for source in knowledge.sources)
        raise UnknownDocument(f"no source ({names}) holds {missing!r}; a document is named by its path in its source")
    return GoldenDocuments(documents, tuple(unreadable))


def _read(
    knowledge: Knowledge, source: Source, only: Collection[str] | None, listed: set[str]
) -> Iterator[tuple[str, GoldenDocument | str]]:
    reader = open_source(source.name, source.uri, source.include, REPOSITORY)
    for ref in reader.list():
        if ref.path in listed or (only is not None and ref.path not in only):
            continue
        listed.add(ref.path)
        try:
            parsed = parse(ref, reader.read(ref, knowledge.max_document_mib * MEBIBYTE))
        except DocumentUnreadable as error:
            yield ref.path, str(error)
        else:
            saying = tuple(section for section in parsed.sections if _says_something(parsed.text, section))
            yield ref.path, GoldenDocument(ref.path, parsed.text, saying)


def _says_something(text: str, section: Section) -> bool:
    """Whether a section holds more than its own heading."""
    heading = section.heading_path[-1] if section.heading_path else ""
    return _letters(text[section.start : section.end]) != _letters(heading)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
