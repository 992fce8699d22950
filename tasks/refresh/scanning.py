"""What the sources of a knowledge base hold now."""

import hashlib
from collections.abc import Sequence

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.sources import SourceReader, open_source
from agents.knowledge.sync import ScannedDocument
from tasks.environment import REPOSITORY
from tasks.environment.knowledge import Source


def scan(sources: Sequence[Source], max_document_bytes: int) -> list[ScannedDocument]:
    """List every document of the sources with the SHA-256 of its content; a document that cannot be read says why.

    A document that two sources list belongs to the first of them.

    Raises:
        SourceMissing: a source does not exist or may not be listed.
        SourceEmpty: a source holds no document; taking that for the truth would delete all of its knowledge.
    """
    scanned: dict[str, ScannedDocument] = {}
    for source in sources:
        reader = open_source(source.name, source.uri, source.include, REPOSITORY)
        for ref in reader.list():
            if ref.uri not in scanned:
                scanned[ref.uri] = _scan(reader, ref, max_document_bytes)
    return list(scanned.values())


def _scan(reader: SourceReader, ref: DocumentRef, max_document_bytes: int) -> ScannedDocument:
    try:
        return ScannedDocument(ref, hashlib.sha256(reader.read(ref, max_document_bytes)).hexdigest())
    except DocumentUnreadable as error:
        return ScannedDocument(ref, None, error.reason)
