"""What the sources of a knowledge base hold now."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from prefect import task

from agents.knowledge.documents import DocumentUnreadable
from agents.knowledge.sources import open_source
from agents.knowledge.sync import ScannedDocument
from tasks.environment import REPOSITORY
from tasks.environment.knowledge import Knowledge, Source

MEBIBYTE = 2**20


def sources_of(knowledge: Knowledge, directory: str | None) -> tuple[Source, ...]:
    """The sources that a refresh reads: those of the variable file, or only `directory` where one is given."""
    if directory is None:
        return knowledge.sources
    return (Source(name="directory", uri=f"file://{Path(directory).expanduser().resolve()}"),)


@task(task_run_name="scan-sources")
def scan_sources(sources: Sequence[Source], max_document_bytes: int) -> list[ScannedDocument]:
    """List every document of the sources with the SHA-256 of its content; a document that cannot be read says why.

    Raises:
        SourceMissing: a source does not exist or may not be listed.
        SourceEmpty: a source holds no document; taking that for the truth would delete all of its knowledge.
    """
    return [scanned for source in sources for scanned in _scan(source, max_document_bytes)]


def _scan(source: Source, max_document_bytes: int) -> list[ScannedDocument]:
    reader = open_source(source.name, source.uri, source.include, REPOSITORY)
    scanned: list[ScannedDocument] = []
    for ref in reader.list():
        try:
            content_hash = hashlib.sha256(reader.read(ref, max_document_bytes)).hexdigest()
        except DocumentUnreadable as error:
            scanned.append(ScannedDocument(ref, None, str(error)))
        else:
            scanned.append(ScannedDocument(ref, content_hash))
    return scanned
