"""A generation of the knowledge base: an immutable index, described by a manifest."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from agents.knowledge.fusion import FusionSettings

GENERATION_NAME = r"^[a-z0-9][a-z0-9-]*$"
"""A generation's name becomes part of file, table and index names."""
BUILT_NAME = r"^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$"
"""What a refresh calls a generation: when it was begun (UTC), and chance."""


class EmbeddingIdentity(BaseModel, frozen=True, extra="forbid"):
    """Which model made the vectors. `fingerprint` is the SHA-256 of the model file that was used."""

    model: str
    fingerprint: str
    dimension: int


class DocumentRecord(BaseModel):
    """What a generation knows of one document.

    `content_hash` (SHA-256) is of the version whose chunks the generation holds, None when it holds
    none. `failure` is why the newest version could not be read, and `failed_hash` is of that version; it is read again
    unless it was given up by the versions `failed_by` (`parser_versions`). `same_as` is the address of the document
    that has the same content, under which the chunks of both lie; `chunks` is 0 then.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: str
    path: str
    content_hash: str | None
    chunks: int
    failure: str | None = None
    failed_hash: str | None = None
    failed_by: str | None = None
    same_as: str | None = None


class Manifest(BaseModel):
    """Describes one generation; `documents` is keyed by the document's URI.

    `state` is `building` until every chunk is in the index and the counts agree, then `ready`.
    `inputs_digest` identifies what the generation is built from (document hashes, chunker, embedding
    model, fusion, sources), so that an interrupted build is taken up again instead of started anew. `fusion` is how it
    is searched; None in a generation of a version that did not record it.
    """

    # A service that was released before the flows reads what a newer version of them recorded.
    model_config = ConfigDict(frozen=True, extra="ignore")

    generation: Annotated[str, StringConstraints(pattern=GENERATION_NAME)]
    state: Literal["building", "ready"]
    created_at: datetime
    inputs_digest: str
    sources: dict[str, str]
    chunker: str
    embedding: EmbeddingIdentity
    fusion: FusionSettings | None = None
    documents: dict[str, DocumentRecord]
    chunk_count: int
    git_commit: str | None
    flow_run_id: str | None

    @property
    def versions(self) -> dict[str, str | None]:
        """The content hash of each document by its URI as the sources held it, None where it could not be read.

        Of a document that failed that is the version that failed, not the good one before it.
        """
        return {
            uri: record.failed_hash if record.failure else record.content_hash for uri, record in self.documents.items()
        }

    @cached_property
    def copies(self) -> dict[str, DocumentRecord]:
        """The documents whose chunks lie under the address of another one, by their URI and in its order."""
        return {uri: record for uri, record in sorted(self.documents.items()) if record.same_as is not None}

    def holder(self, uri: str) -> str:
        """The address under which the chunks of a document lie: its own, where it is no copy."""
        copy = self.copies.get(uri)
        return uri if copy is None or copy.same_as is None else copy.same_as

    def chunks_of(self, uri: str) -> int:
        """How many chunks a document has, its own or those that it shares; it is one of the generation's."""
        return self.documents[self.holder(uri)].chunks

    @cached_property
    def source_fingerprint(self) -> str:
        """Identifies what the sources held when this generation was built."""
        return source_fingerprint(self.versions)


def source_fingerprint(versions: Mapping[str, str | None]) -> str:
    """The SHA-256 over all documents: `versions` maps a URI to the content hash, None where it cannot be read."""
    return hashlib.sha256(json.dumps(sorted(versions.items())).encode()).hexdigest()
