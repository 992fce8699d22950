"""What the sources of a knowledge base hold now."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.generation import Manifest
from agents.knowledge.source_opening import open_source
from agents.knowledge.sources import SourceEmpty, SourceError, SourceMissing, SourceReader
from agents.knowledge.sync import ScannedDocument
from tasks.environment import REPOSITORY
from tasks.environment.knowledge import Source


@dataclass(frozen=True)
class Scan:
    """Every document of the sources; `vanished` are those by name that do not exist, or hold no document, and why."""

    documents: tuple[ScannedDocument, ...]
    vanished: Mapping[str, SourceError]


def scan(sources: Sequence[Source], max_document_bytes: int) -> Scan:
    """List every document of the sources with the SHA-256 of its content; a document that cannot be read says why.

    A document that two sources list belongs to the first of them.

    Raises:
        SourceUnavailable: a source is there and cannot be listed or read now.
    """
    scanned: dict[str, ScannedDocument] = {}
    vanished: dict[str, SourceError] = {}
    for source in sources:
        reader = open_source(source.name, source.uri, source.include, REPOSITORY)
        try:
            for ref in reader.list():
                if ref.uri not in scanned:
                    scanned[ref.uri] = _scan(reader, ref, max_document_bytes)
        except (SourceMissing, SourceEmpty) as error:
            vanished[source.name] = error
    return Scan(tuple(scanned.values()), vanished)


def require_known_sources(found: Scan, serving: Manifest | None) -> None:
    """Refuse a source that lists nothing and never did: its address is wrong, so there is nothing to confirm.

    Raises:
        SourceMissing: it does not exist.
        SourceEmpty: it holds no document.
    """
    known = {record.source for record in serving.documents.values()} if serving else set[str]()
    for name, error in found.vanished.items():
        if name not in known:
            raise error


def _scan(reader: SourceReader, ref: DocumentRef, max_document_bytes: int) -> ScannedDocument:
    try:
        return ScannedDocument(ref, hashlib.sha256(reader.read(ref, max_document_bytes)).hexdigest())
    except DocumentUnreadable as error:
        return ScannedDocument(ref, None, error.reason)
