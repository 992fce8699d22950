"""What the sources of a knowledge base hold now."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from agents.knowledge.documents import DocumentRef, DocumentUnreadable
from agents.knowledge.sources import SourceReader, open_source
from agents.knowledge.sync import ScannedDocument
from tasks.environment import REPOSITORY
from tasks.environment.knowledge import Knowledge, Source

MEBIBYTE = 2**20


def sources_of(knowledge: Knowledge, directory: str | None) -> tuple[Source, ...]:
    """The sources that a refresh reads: those of the variable file, or only `directory` where one is given."""
    if directory is None:
        return knowledge.sources
    return (Source(name="directory", uri=f"file://{Path(directory).expanduser().resolve()}"),)


# Never from a cache: what the sources held when a run was first tried is no answer to what they hold now.
@task(task_run_name="scan-sources", cache_policy=NO_CACHE, persist_result=False)
def scan_sources(sources: Sequence[Source], max_document_bytes: int) -> list[ScannedDocument]:
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
