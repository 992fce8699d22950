"""What the last look at the sources found, kept in the store: whether what serves is what they hold."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from agents.knowledge.generation import Manifest, source_fingerprint
from agents.knowledge.store import KnowledgeStore

NOTE = "source-changes"


class ChangeRecord(BaseModel):
    """`fingerprint` identifies all documents with their content, as `Manifest.source_fingerprint` does.

    `seen_at` is when the sources were last looked at, `changed_at` when that fingerprint was first seen (both UTC),
    and `documents` is how many there were.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: str
    seen_at: datetime
    changed_at: datetime
    documents: int

    def is_in(self, manifest: Manifest) -> bool:
        """Whether a generation holds what the sources held when they were last looked at."""
        return manifest.source_fingerprint == self.fingerprint


def last_change(store: KnowledgeStore) -> ChangeRecord | None:
    """What the last look at the sources found; None when nobody looked yet.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    text = store.note(NOTE)
    return None if text is None else ChangeRecord.model_validate_json(text)


def record_change(store: KnowledgeStore, scanned: Mapping[str, str | None], now: datetime) -> ChangeRecord:
    """Remember what was found just now: the content hash of each document by its URI, None where it cannot be read.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    fingerprint = source_fingerprint(scanned)
    before = last_change(store)
    unchanged = before is not None and before.fingerprint == fingerprint
    record = ChangeRecord(
        fingerprint=fingerprint,
        seen_at=now,
        changed_at=before.changed_at if before is not None and unchanged else now,
        documents=len(scanned),
    )
    store.write_note(NOTE, record.model_dump_json())
    return record
