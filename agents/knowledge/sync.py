"""What a refresh has to do: compares what the sources hold with what a generation holds."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from agents.knowledge.copies import first_of_the_same
from agents.knowledge.documents import DocumentRef
from agents.knowledge.fusion import FusionSettings
from agents.knowledge.generation import DocumentRecord, EmbeddingIdentity, Manifest
from agents.knowledge.parser_versions import parser_versions


@dataclass(frozen=True)
class ScannedDocument:
    """A document as the sources hold it now: the SHA-256 of its bytes, or why they cannot be read."""

    ref: DocumentRef
    content_hash: str | None
    failure: str | None = None


@dataclass(frozen=True)
class Provenance:
    """What a generation is made from and by: source URIs by name, chunker, embedding model, commit and flow run.

    `fusion` is how it will be searched.
    """

    sources: Mapping[str, str]
    chunker: str
    embedding: EmbeddingIdentity
    git_commit: str | None
    flow_run_id: str | None
    fusion: FusionSettings | None = None


@dataclass(frozen=True)
class RefreshPlan:
    """The work that separates a base generation from the sources.

    `keep` and `carry` are copied with their vectors, `parse` is read, chunked and embedded. `carry` holds documents
    that can no longer be read: their last good version stays. `deleted` are the documents of the serving generation
    that the sources no longer hold, or that cannot be read when there is no base to take their last version from, and
    `moved` those that the sources hold elsewhere now. For `copies` nothing is done: each has the content of another
    document, whose URI it comes with.
    `already_built` is the ready generation that was built from exactly these inputs, where there is one and nothing in
    it is to be read again: there is nothing to do but to serve it.
    """

    keep: tuple[ScannedDocument, ...]
    parse: tuple[ScannedDocument, ...]
    carry: tuple[ScannedDocument, ...]
    unreadable: tuple[ScannedDocument, ...]
    deleted: tuple[str, ...]
    moved: tuple[str, ...]
    inputs_digest: str
    base: Manifest | None
    already_built: Manifest | None
    copies: tuple[tuple[ScannedDocument, str], ...] = ()

    @property
    def versions(self) -> dict[str, str | None]:
        """The content hash of each document that the sources hold, by its URI; None where it cannot be read."""
        documents = (*self.keep, *self.parse, *self.carry, *self.unreadable, *(copy for copy, _ in self.copies))
        return {document.ref.uri: document.content_hash for document in documents}

    @property
    def changed(self) -> int:
        """How many documents are new, or have another content than in the base generation."""
        known = self.base.versions if self.base else {}
        return sum(known.get(uri, "absent") != version for uri, version in self.versions.items())

    @property
    def changes_nothing(self) -> bool:
        """True when the serving generation was built from exactly these inputs, and nothing is to be read again."""
        return self.base is not None and self.already_built is self.base


def plan_refresh(
    scanned: Iterable[ScannedDocument],
    serving: Manifest | None,
    manifests: Sequence[Manifest],
    provenance: Provenance,
) -> RefreshPlan:
    """Decide what to copy, what to embed and what to leave behind; `manifests` are all that the store has.

    A serving generation made with another chunker or embedding model shares no vectors with the next
    one: everything is embedded again.
    """
    documents = sorted(scanned, key=lambda document: document.ref.uri)
    made_by = (provenance.chunker, provenance.embedding)
    base = serving if serving and (serving.chunker, serving.embedding) == made_by else None
    known = base.documents if base else {}
    keep: list[ScannedDocument] = []
    parse: list[ScannedDocument] = []
    carry: list[ScannedDocument] = []
    unreadable: list[ScannedDocument] = []
    readable: list[ScannedDocument] = []
    for document in documents:
        record = known.get(document.ref.uri)
        if document.content_hash is not None and not _failed_before(document, record):
            readable.append(document)
        else:
            (carry if record and record.content_hash else unreadable).append(document)
    same_as = first_of_the_same((document.ref, document.content_hash) for document in readable)
    for document in readable:
        record = known.get(document.ref.uri)
        if document.ref.uri in same_as:
            continue
        stored = record is not None and record.same_as is None and is_as_recorded(document, record)
        (keep if stored else parse).append(document)
    deleted, moved = _left_behind(serving, documents)
    served = {uri for uri, record in serving.documents.items() if record.content_hash} if serving else set[str]()
    lost = tuple(document.ref.uri for document in unreadable if document.ref.uri in served)
    digest = inputs_digest(
        {document.ref.uri: document.content_hash for document in documents},
        provenance.sources,
        provenance.chunker,
        provenance.embedding,
        provenance.fusion,
    )
    same = [
        manifest
        for manifest in (serving, *manifests)
        if manifest and manifest.state == "ready" and manifest.inputs_digest == digest
    ]
    return RefreshPlan(
        keep=tuple(keep),
        parse=tuple(parse),
        carry=tuple(carry),
        unreadable=tuple(unreadable),
        deleted=(*deleted, *lost),
        moved=moved,
        inputs_digest=digest,
        base=base,
        already_built=next((manifest for manifest in same if not _to_be_read_again(manifest)), None),
        copies=tuple((copy, same_as[copy.ref.uri]) for copy in readable if copy.ref.uri in same_as),
    )


def is_as_recorded(document: ScannedDocument, record: DocumentRecord) -> bool:
    """Whether the chunks of the record can be taken over: same bytes, found in the same source under the same path.

    Chunks carry their source and their path, and are cited and filtered by them.
    """
    ref = document.ref
    return (record.content_hash, record.source, record.path) == (document.content_hash, ref.source, ref.path)


def _failed_before(document: ScannedDocument, record: DocumentRecord | None) -> bool:
    """The same bytes fail the same way by the same libraries; our own version is part of `chunker`."""
    if record is None or record.content_hash == document.content_hash:
        return False
    return record.failed_hash == document.content_hash and record.failed_by == parser_versions(document.ref.path)


def _to_be_read_again(manifest: Manifest) -> bool:
    """Whether a document failed that may not fail another time, as after an upgrade of the library that gave it up."""
    return any(
        record.failed_hash is not None and record.failed_by != parser_versions(record.path)
        for record in manifest.documents.values()
    )


def _left_behind(
    serving: Manifest | None, documents: Sequence[ScannedDocument]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the sources hold no longer, and what they hold under another URI than the serving generation does."""
    if serving is None:
        return (), ()
    present = {document.ref.uri for document in documents}
    arrived = {document.content_hash for document in documents if document.ref.uri not in serving.documents}
    gone = sorted(serving.documents.keys() - present)
    moved = tuple(uri for uri in gone if (found := serving.documents[uri].content_hash) and found in arrived)
    return tuple(uri for uri in gone if uri not in set(moved)), moved


def inputs_digest(
    versions: Mapping[str, str | None],
    sources: Mapping[str, str],
    chunker: str,
    embedding: EmbeddingIdentity,
    fusion: FusionSettings | None,
) -> str:
    """Identifies what a generation is built from; `versions` maps a document's URI to its content hash.

    The hash is None where the document could not be read at all.
    """
    inputs = {
        "documents": sorted(versions.items()),
        "sources": dict(sources),
        "chunker": chunker,
        "embedding": embedding.model_dump(),
        "fusion": None if fusion is None else asdict(fusion),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
