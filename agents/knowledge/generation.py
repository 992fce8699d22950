"""A generation of the knowledge base: an immutable index, described by a manifest."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

GENERATION_NAME = r"^[a-z0-9][a-z0-9-]*$"
"""A generation's name becomes part of file, table and index names."""


class EmbeddingIdentity(BaseModel):
    """Which model made the vectors. `fingerprint` is the SHA-256 of the model file that was used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    fingerprint: str
    dimension: int


class DocumentRecord(BaseModel):
    """What a generation knows of one document.

    `content_hash` (SHA-256) is of the version whose chunks the generation holds, None when it holds
    none. `failure` is why the newest version could not be read, and `failed_hash` is of that version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    path: str
    content_hash: str | None
    chunks: int
    failure: str | None = None
    failed_hash: str | None = None


class Manifest(BaseModel):
    """Describes one generation; `documents` is keyed by the document's URI.

    `state` is `building` until every chunk is in the index and the counts agree, then `ready`.
    `inputs_digest` identifies what the generation is built from (document hashes, chunker, embedding
    model, sources), so that an interrupted build is taken up again instead of started anew.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generation: Annotated[str, StringConstraints(pattern=GENERATION_NAME)]
    state: Literal["building", "ready"]
    created_at: datetime
    inputs_digest: str
    sources: dict[str, str]
    chunker: str
    embedding: EmbeddingIdentity
    documents: dict[str, DocumentRecord]
    chunk_count: int
    git_commit: str | None
    flow_run_id: str | None
